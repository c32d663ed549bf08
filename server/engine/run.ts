import { join, parse } from 'node:path';
import { cancelled, Failure } from '../../shared/failure';
import type { GenerationProgress } from '../../shared/job-events';
import type { PngImage } from '../gallery/png';
import type { Ticker } from '../platform/throttle';
import { badResult, runFailure } from './explain';
import { EngineOutput } from './output';
import { ProgressReporter } from './progress';
import { RunRecord } from './run-record';
import type { Scratch } from './scratch';
import { startEngine } from './start';

export interface EngineRun {
  /** Absolute path of sd-cli. */
  readonly enginePath: string;
  readonly arguments: readonly string[];
  /** All that the engine gets to see of an environment; see `engineEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly scratch: Scratch;
  /** The `output` that the arguments name: a file name in the scratch folder. */
  readonly output: string;
  /** How many images were asked for. */
  readonly images: number;
  /** Seed of the first image. */
  readonly seed: number;
  /** Name of the model, for the reports of progress. */
  readonly model: string;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** Decodes a whole PNG file, possibly elsewhere; throws Failure 'bad-image'. */
  readonly readImage: (path: string) => Promise<PngImage>;
  readonly signal?: AbortSignal | undefined;
  readonly ticker?: Ticker;
}

/** One image that the engine made, checked, and still in the scratch folder. */
export interface EngineImage {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
}

export interface EngineResult {
  readonly images: readonly EngineImage[];
  /** What the user should know although the images are there, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Runs sd-cli once and checks what it made. Cancelling ends its whole process tree within two seconds.
 * @throws Failure 'engine-missing', 'engine-unusable', 'engine-failed' (whose cause holds the engine's last lines),
 * 'cancelled'
 */
export async function runEngine(run: EngineRun): Promise<EngineResult> {
  const { model, images, onProgress, ticker, signal } = run;
  if (signal?.aborted) throw cancelled('The generation');
  const record = new RunRecord();
  const progress = new ProgressReporter({ model, images, onProgress, ticker });
  try {
    const end = await runToEnd(run, record, progress);
    if (signal?.aborted) throw cancelled('The generation');
    const failure = runFailure(record, end, images);
    if (failure) throw failure;
    progress.flush();
    const made = await collectImages(run, record);
    return { images: made, warnings: record.warnings };
  } finally {
    progress.stop();
  }
}

async function runToEnd(run: EngineRun, record: RunRecord, progress: ProgressReporter) {
  const { enginePath, environment, scratch, signal } = run;
  const output = new EngineOutput((event) => {
    record.observe(event);
    progress.observe(event);
  });
  const child = await startEngine({
    file: enginePath,
    arguments: run.arguments,
    environment,
    directory: scratch.folder,
    onOutput: (chunk) => output.writeOutput(chunk),
    onError: (chunk) => output.writeError(chunk)
  });
  const stop = (): void => void child.kill();
  signal?.addEventListener('abort', stop, { once: true });
  // The signal may have been given while the engine was being started, when nobody listened.
  if (signal?.aborted) stop();
  try {
    await scratch.recordChild(child.pid);
    const end = await child.ended;
    output.end();
    return end;
  } finally {
    signal?.removeEventListener('abort', stop);
    await child.kill();
  }
}

async function collectImages(run: EngineRun, record: RunRecord): Promise<EngineImage[]> {
  const made: EngineImage[] = [];
  for (const [index, name] of outputFiles(run.output, run.images).entries()) {
    const path = join(run.scratch.folder, name);
    const seed = record.seedOf(index + 1) ?? run.seed + index;
    made.push({ path, seed, ...(await checkedSize(run, record, path)) });
  }
  return made;
}

/** The names of the files that the engine writes for one `output`: it numbers the images of a batch from 0. */
function outputFiles(output: string, images: number): string[] {
  if (images === 1) return [output];
  const { name, ext } = parse(output);
  return Array.from({ length: images }, (_, index) => `${name}_${index}${ext}`);
}

async function checkedSize(
  run: EngineRun,
  record: RunRecord,
  path: string
): Promise<{ width: number; height: number }> {
  try {
    const { width, height } = await run.readImage(path);
    return { width, height };
  } catch (error) {
    throw error instanceof Failure ? badResult(record, error) : error;
  }
}
