import type { Digest } from '../../shared/digest';

/** A device that an engine can compute on. */
export interface EngineDevice {
  /** What `--backend` takes, for example `CPU` or `Vulkan0`. */
  readonly name: string;
  readonly description: string;
}

/** What an engine can do, by its own help. */
interface EngineHelp {
  /** Long spellings, for example `--diffusion-fa`; empty when the help could not be understood. */
  readonly options: ReadonlySet<string>;
  readonly samplingMethods: ReadonlySet<string>;
  readonly schedulers: ReadonlySet<string>;
}

/** What one engine is and can do. */
export interface EngineAbilities extends EngineHelp {
  /** SHA-256 of the program's file. */
  readonly digest: Digest;
  /** The whole line, for example "stable-diffusion.cpp version master-827-97d2990, commit 97d29908". */
  readonly version: string;
  readonly devices: readonly EngineDevice[];
}

/** An option begins a line with two spaces; explanations are indented further. */
const OPTION = /^ {2}(?:-\w+, )?(--[\w-]+)/;

/** Reads what `--help` prints. @param lines without those that are empty */
export function parseHelp(lines: readonly string[]): EngineHelp {
  const explained = new Map<string, string>();
  let current: string | undefined;
  for (const line of lines) {
    const [, option] = OPTION.exec(line) ?? [];
    if (option !== undefined) current = option;
    else if (!/^ {6,}/.test(line)) current = undefined;
    if (current !== undefined) explained.set(current, `${explained.get(current) ?? ''} ${line.trim()}`);
  }
  return {
    options: new Set(explained.keys()),
    samplingMethods: choicesIn(explained.get('--sampling-method')),
    schedulers: choicesIn(explained.get('--scheduler'))
  };
}

/** Reads what `--list-devices` prints: a name, a tab and a description on each line. */
export function parseDevices(lines: readonly string[]): readonly EngineDevice[] {
  return lines.flatMap((line) => {
    const [, name, description] = /^([^\s\t]+)\t(.*)$/.exec(line) ?? [];
    return name === undefined || description === undefined ? [] : [{ name, description: description.trim() }];
  });
}

function choicesIn(explanation = ''): ReadonlySet<string> {
  const [, list = ''] = /\bone of (?:the following )?\[([^\]]*)\]/.exec(explanation) ?? [];
  return new Set(list.split(',').flatMap((choice) => choice.trim() || []));
}
