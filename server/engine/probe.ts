import { cancelled, Failure } from '../../shared/failure';
import { LineSplitter } from './lines';
import { startEngine } from './start';

export interface EngineProbe {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take, in ms; absent: ten seconds, for drivers may be loaded first. */
  readonly timeLimitMs?: number;
}

/** What an engine says about itself. */
export interface EngineVersion {
  /** The whole line, for example "stable-diffusion.cpp version master-827-97d2990, commit 97d29908". */
  readonly version: string;
}

/** The most lines of each stream that are kept. */
const KEPT_LINES = 20;

/**
 * Asks a program whether it is sd-cli, and which.
 * @throws Failure 'engine-missing', 'engine-unusable', 'cancelled'
 */
export async function probeEngine(probe: EngineProbe): Promise<EngineVersion> {
  const { path, environment, signal, timeLimitMs = 10_000 } = probe;
  const lines: string[] = [];
  const keep = (line: string): void => {
    if (lines.length < KEPT_LINES) lines.push(line);
  };
  const output = new LineSplitter(keep);
  const errors = new LineSplitter(keep);
  if (signal?.aborted) throw cancelled('Asking sd-cli for its version');
  const child = await startEngine({
    file: path,
    // Only as the first argument is it understood.
    arguments: ['--version'],
    environment,
    onOutput: (chunk) => output.write(chunk),
    onError: (chunk) => errors.write(chunk)
  });
  const limit = AbortSignal.timeout(timeLimitMs);
  const stop = AbortSignal.any(signal ? [signal, limit] : [limit]);
  stop.addEventListener('abort', () => void child.kill(), { once: true });
  const { code } = await child.ended;
  output.end();
  errors.end();
  if (signal?.aborted) throw cancelled('Asking sd-cli for its version');
  if (limit.aborted) throw unusable(path, 'sd-cli did not tell its version in time.', lines);
  const version = lines.find((line) => /^(stable-diffusion\.cpp|sd-cli) .*\bversion\b/i.test(line));
  if (code === 0 && version !== undefined) return { version };
  const sentence = code === 0 ? 'This program is not sd-cli.' : 'sd-cli does not run on this machine.';
  throw unusable(path, sentence, lines);
}

function unusable(path: string, sentence: string, lines: readonly string[]): Failure {
  const answer = lines[0] === undefined ? '' : ` It said: ${lines[0]}`;
  return new Failure('engine-unusable', `${sentence}${answer}`, {
    subject: path,
    nextStep: 'Check the path of sd-cli and that its libraries lie beside it.',
    cause: new Error(`the program's output:\n${lines.join('\n')}`)
  });
}
