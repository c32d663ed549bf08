import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationProgress } from '../../../shared/job-events';
import { prepareInputs } from '../../engine/inputs/prepare-inputs';
import { type EngineResult, runEngine } from '../../engine/run';
import type { Scratch } from '../../engine/scratch';
import type { EngineInUse } from '../engine/engine-in-use';
import { inspectImage } from '../inspect-image';
import type { Services } from '../services';
import type { SoundModel } from './check';
import { commandFor, OUTPUT } from './prepare';

/** What somebody who waits for a generation hears and may do. */
export interface GenerateOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: GenerationProgress) => void;
}

/** One run of the engine. */
export interface Run {
  readonly model: SoundModel;
  readonly request: GenerationRequest;
  readonly engine: EngineInUse;
  readonly seed: number;
  readonly scratch: Scratch;
}

/** Runs the engine in a scratch folder, where its images are afterwards, checked. @throws Failure */
export async function runGeneration(
  { pool }: Services,
  run: Run,
  { signal, onProgress }: GenerateOptions
): Promise<EngineResult> {
  const { model, request, engine, seed, scratch } = run;
  const size = { ...model.defaults, ...request };
  const { images: inputs, notices } = await prepareInputs(scratch, request, { pool, size, signal });
  const { options, unsent } = commandFor(model, { ...run, inputs });
  const { images, warnings } = await runEngine({
    enginePath: engine.path,
    arguments: options,
    environment: engine.environment,
    scratch,
    output: OUTPUT,
    images: request.images ?? 1,
    seed,
    model: model.name,
    onProgress,
    readImage: (path) => inspectImage(pool, path, signal),
    signal
  });
  return { images, warnings: [...notices, ...unsent, ...warnings] };
}
