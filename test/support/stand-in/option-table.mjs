import { usageText } from './recorded.mjs';

const OPTION_LINE = /^ {2}(?:(-\w), )?(--[\w-]+)(?: <(string|int|float)>)? {2,}/;

/** Options that the usage text shows without a type and that take a value all the same. */
const UNTYPED_WITH_VALUE = new Set(
  [
    ['--mode', '--preview', '--imat-in', '--type', '--rng', '--sampler-rng', '--prediction', '--lora-apply-mode'],
    ['--seed', '--sampling-method', '--high-noise-sampling-method', '--scheduler', '--sigmas', '--hires-sigmas'],
    ['--skip-layers', '--high-noise-skip-layers', '--ref-image', '--ref-video', '--ref-video-audio', '--ref-audio'],
    ['--cache-mode', '--cache-option', '--scm-mask', '--scm-policy', '--vae-tile-size', '--vae-relative-tile-size'],
    ['--prompt-file', '--negative-prompt-file']
  ].flat()
);

/** Spellings that the recorded program stores under another option. */
const SAME_AS = { '--tae': '--taesd', '--qwen2vl': '--llm', '--qwen2vl_vision': '--llm_vision' };

/**
 * The options of the recorded usage text: spelling → `{ name, kind }`, where kind is `string`, `int`, `float`, `flag`
 * or `choice` (a value that the program checks itself).
 */
export function optionTable(usage = usageText()) {
  const table = new Map();
  for (const line of usage.split('\n')) {
    const found = OPTION_LINE.exec(line) ?? /^ {2}(?:(-\w), )?(--[\w-]+)(?: <(string|int|float)>)? *$/.exec(line);
    if (found === null) continue;
    const [, short, name, type] = found;
    const option = { name: SAME_AS[name] ?? name, kind: type ?? (UNTYPED_WITH_VALUE.has(name) ? 'choice' : 'flag') };
    table.set(name, option);
    if (short !== undefined) table.set(short, option);
  }
  return table;
}

/** The values that the usage text lists for an option (`one of [a, b]`), or undefined when it lists none. */
export function listedChoices(name) {
  const text = usageText().replaceAll(/\n {6,}/g, ' ');
  const line = text.split('\n').find((candidate) => candidate.includes(`${name} `) && candidate.includes('one of'));
  const list = /one of (?:the following )?\[([^\]]+)\]/.exec(line ?? '');
  return list?.[1].split(', ');
}
