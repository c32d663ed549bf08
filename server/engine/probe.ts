import { cancelled, Failure } from '../../shared/failure';
import { type EngineAbilities, parseDevices, parseHelp } from './abilities';
import { LineSplitter } from './lines';
import { startEngine } from './start';

export interface EngineProbe {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** How long each answer may take, in ms; absent: ten seconds, for drivers may be loaded first. */
  readonly timeLimitMs?: number;
}

/** What an engine says about itself. */
export interface EngineVersion {
  /** The whole line, for example "stable-diffusion.cpp version master-827-97d2990, commit 97d29908". */
  readonly version: string;
}

/** The most characters of an answer that are kept; the longest help that was recorded has 24,000. */
const KEPT_CHARACTERS = 1024 * 1024;

/**
 * Asks a program whether it is sd-cli, and which.
 * @throws Failure 'engine-missing', 'engine-unusable', 'cancelled'
 */
export async function probeEngine(probe: EngineProbe): Promise<EngineVersion> {
  // Only as the first argument is it understood.
  const { code, lines } = await ask(probe, '--version', 'its version');
  const version = lines.find((line) => /^(stable-diffusion\.cpp|sd-cli) .*\bversion\b/i.test(line));
  if (code === 0 && version !== undefined) return { version };
  const sentence = code === 0 ? 'This program is not sd-cli.' : 'sd-cli does not run on this machine.';
  throw unusable(probe.path, sentence, lines);
}

/**
 * Asks an engine for all that it can do.
 * @throws Failure 'engine-missing', 'engine-unusable', 'cancelled'
 */
export async function probeAbilities(probe: EngineProbe): Promise<Omit<EngineAbilities, 'digest'>> {
  const { version } = await probeEngine(probe);
  const help = await ask(probe, '--help', 'its options');
  const devices = await ask(probe, '--list-devices', 'its devices');
  // Builds from before the list refuse the option, and print their help.
  return { version, ...parseHelp(help.lines), devices: devices.code === 0 ? parseDevices(devices.lines) : [] };
}

interface Answer {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** @param what completes "sd-cli did not tell …" and "Asking sd-cli for …" */
async function ask(probe: EngineProbe, option: string, what: string): Promise<Answer> {
  const { path, environment, signal, timeLimitMs = 10_000 } = probe;
  const lines: string[] = [];
  let room = KEPT_CHARACTERS;
  const keep = (line: string): void => {
    room -= line.length;
    if (room >= 0) lines.push(line);
  };
  const output = new LineSplitter(keep);
  const errors = new LineSplitter(keep);
  if (signal?.aborted) throw cancelled(`Asking sd-cli for ${what}`);
  const child = await startEngine({
    file: path,
    arguments: [option],
    environment,
    onOutput: (chunk) => output.write(chunk),
    onError: (chunk) => errors.write(chunk)
  });
  const limit = AbortSignal.timeout(timeLimitMs);
  const stop = AbortSignal.any(signal ? [signal, limit] : [limit]);
  stop.addEventListener('abort', () => void child.kill(), { once: true });
  // Somebody may have given up while the program was being started, when nobody listened.
  if (stop.aborted) await child.kill();
  const { code } = await child.ended;
  output.end();
  errors.end();
  if (signal?.aborted) throw cancelled(`Asking sd-cli for ${what}`);
  if (limit.aborted) throw unusable(path, `sd-cli did not tell ${what} in time.`, lines);
  return { code, lines };
}

function unusable(path: string, sentence: string, lines: readonly string[]): Failure {
  const answer = lines[0] === undefined ? '' : ` It said: ${lines[0]}`;
  return new Failure('engine-unusable', `${sentence}${answer}`, {
    subject: path,
    nextStep: 'Check the path of sd-cli and that its libraries lie beside it.',
    cause: new Error(`the program's output:\n${lines.slice(0, 20).join('\n')}`)
  });
}
