import type { GenerationProgress } from '../../../shared/job-events';
import { prepareInputs } from '../../engine/inputs/prepare-inputs';
import { type EngineResult, runEngine } from '../../engine/run';
import { inspectImage } from '../inspect-image';
import type { Services } from '../services';
import { OUTPUT, prepareRun, type RunParts } from './prepare';

/** What somebody who waits for a generation hears and may do. */
export interface GenerateOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** A folder of LoRAs instead of the one in the settings, an absolute path. */
  readonly loraFolder?: string | undefined;
}

/** Runs the engine in a scratch folder, where its images are afterwards, checked. @throws Failure */
export async function runGeneration(
  { pool }: Services,
  parts: RunParts,
  { signal, onProgress }: GenerateOptions
): Promise<EngineResult> {
  const { model, request, engine, seed, scratch } = parts;
  const { images: inputs, notices } = await prepareInputs(scratch, request, { pool, size: request, signal });
  const { options, unsent } = await prepareRun(parts, inputs);
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
