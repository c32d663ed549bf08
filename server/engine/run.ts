import { join, parse } from 'node:path';
import { cancelled, Failure } from '../../shared/failure';
import type { GenerationProgress } from '../../shared/job-events';
import { SETTINGS } from '../../shared/settings';
import type { ExaminedImage } from '../gallery/png/png-look';
import { watchMemory } from '../platform/memory-watch';
import type { Ticker } from '../platform/throttle';
import type { EngineEnd } from './ends';
import { imagesOf, type RunGoal, runFailure, runName, timedOut } from './explain';
import { type EngineEvent, EngineOutput } from './output';
import { type PreviewFrame, PreviewReader } from './preview';
import { ProgressReporter } from './progress';
import { checkedResult, type EngineResult, type FoundImage } from './result-check';
import { type ImageSize, RunRecord } from './run-record';
import type { Scratch } from './scratch';
import { startEngine } from './start';
import type { RunPlan } from './work-done';

export interface EngineRun {
  /** Absolute path of sd-cli. */
  readonly enginePath: string;
  readonly arguments: readonly string[];
  /** All that the engine gets to see of an environment; see `engineEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly scratch: Scratch;
  /** The `output` that the arguments name: a file name in the scratch folder. */
  readonly output: string;
  readonly goal: RunGoal;
  /** The second pass that the arguments ask for. */
  readonly hires?: RunPlan['hires'];
  /** The size that the arguments ask for. */
  readonly requested?: ImageSize | undefined;
  /** Seed of the first image. */
  readonly seed: number;
  /** Name of the model, for the reports of progress. */
  readonly model: string;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** Previews, when the arguments ask for them: the file that they name, in the scratch folder. */
  readonly preview?: { readonly file: string; readonly onFrame: (frame: PreviewFrame) => void } | undefined;
  /** Decodes and judges a whole PNG file, possibly elsewhere; throws Failure 'bad-image'. */
  readonly readImage: (path: string) => Promise<ExaminedImage>;
  /** How long the engine may run, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly ticker?: Ticker;
}

/** Whoever follows what the engine tells. */
interface Observer {
  observe(event: EngineEvent): void;
}

/** How a run ended; `limit`: we ended it, for it took too long. */
type RunEnd = EngineEnd | 'limit';

/**
 * Runs sd-cli once and checks what it made. Cancelling ends its whole process tree within two seconds.
 * @throws Failure 'engine-missing', 'engine-unusable', 'engine-failed' (whose cause holds the engine's last lines),
 * 'cancelled'
 */
export async function runEngine(run: EngineRun): Promise<EngineResult> {
  const { model, goal, hires, onProgress, ticker, signal, timeLimitMinutes = 0, preview } = run;
  if (signal?.aborted) throw cancelled(runName(goal));
  const record = new RunRecord();
  const images = Math.max(1, imagesOf(goal));
  const progress = new ProgressReporter({ model, images, hires, onProgress, ticker });
  const previews = preview && new PreviewReader(join(run.scratch.folder, preview.file), preview.onFrame, ticker);
  try {
    const end = await runToEnd(run, [record, progress, ...(previews ? [previews] : [])]);
    if (signal?.aborted) throw cancelled(runName(goal));
    if (end === 'limit') throw timedOut(timeLimitMinutes, SETTINGS.engineTimeLimit.key, goal, record);
    const failure = runFailure(record, end, goal);
    if (failure) throw failure;
    progress.flush();
    return checkedResult(await findImages(run, record), { goal, record, requested: run.requested });
  } finally {
    progress.stop();
    await previews?.end();
  }
}

async function runToEnd(run: EngineRun, observers: readonly Observer[]): Promise<RunEnd> {
  const { enginePath, environment, scratch, signal, timeLimitMinutes = 0 } = run;
  const output = new EngineOutput((event) => {
    for (const observer of observers) observer.observe(event);
  });
  const child = await startEngine({
    file: enginePath,
    arguments: run.arguments,
    environment,
    directory: scratch.folder,
    onOutput: (chunk) => output.writeOutput(chunk),
    onError: (chunk) => output.writeError(chunk)
  });
  const memoryVerdict = watchMemory();
  let isTooLong = false;
  const stop = (): void => void child.kill();
  const limit = timeLimit(timeLimitMinutes, () => {
    isTooLong = true;
    stop();
  });
  signal?.addEventListener('abort', stop, { once: true });
  // The signal may have been given while the engine was being started, when nobody listened.
  if (signal?.aborted) stop();
  try {
    await scratch.recordChild(child.pid);
    const end = await child.ended;
    output.end();
    return isTooLong ? 'limit' : { ...end, memory: await memoryVerdict() };
  } finally {
    clearTimeout(limit);
    signal?.removeEventListener('abort', stop);
    await child.kill();
  }
}

/** The longest time that timers of the runtime can wait, in ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function timeLimit(minutes: number, onLimit: () => void): NodeJS.Timeout | undefined {
  return minutes > 0 ? setTimeout(onLimit, Math.min(minutes * 60_000, LONGEST_TIMER_MS)) : undefined;
}

/** One after the other, for an image takes much memory while it is decoded. */
async function findImages(run: EngineRun, record: RunRecord): Promise<FoundImage[]> {
  const files: FoundImage[] = [];
  for (const [index, name] of outputFiles(run.output, imagesOf(run.goal)).entries()) {
    const path = join(run.scratch.folder, name);
    const seed = record.seedOf(index + 1) ?? run.seed + index;
    files.push({ path, seed, found: await found(run, path) });
  }
  return files;
}

/** The names of the files that the engine writes for one `output`: it numbers the images of a batch from 0. */
function outputFiles(output: string, images: number): string[] {
  if (images === 1) return [output];
  const { name, ext } = parse(output);
  return Array.from({ length: images }, (_, index) => `${name}_${index}${ext}`);
}

async function found({ readImage }: EngineRun, path: string): Promise<ExaminedImage | Failure> {
  try {
    return await readImage(path);
  } catch (error) {
    if (error instanceof Failure && error.code !== 'cancelled') return error;
    throw error;
  }
}
