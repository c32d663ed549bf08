import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationProgress } from '../../../shared/job-events';
import { prepareInputs } from '../../engine/inputs/prepare-inputs';
import { type PreviewFrame, previewOptions } from '../../engine/preview';
import type { EngineResult } from '../../engine/result-check';
import { runEngine } from '../../engine/run';
import type { ImageSize } from '../../engine/run-record';
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
  /** Absent: no previews are made. */
  readonly onPreview?: ((frame: PreviewFrame) => void) | undefined;
  /** How long the engine may run, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
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
  { signal, onProgress, onPreview, timeLimitMinutes }: GenerateOptions
): Promise<EngineResult> {
  const { model, request, engine, seed, scratch } = run;
  const size = { ...model.defaults, ...request };
  const { images: inputs, notices } = await prepareInputs(scratch, request, { pool, size, signal });
  const preview = onPreview && canPreview(engine) ? { file: PREVIEW, onFrame: onPreview } : undefined;
  const { options, unsent } = commandFor(model, { ...run, inputs });
  const { images, warnings } = await runEngine({
    enginePath: engine.path,
    arguments: preview ? [...options, ...previewOptions(PREVIEW)] : options,
    environment: engine.environment,
    scratch,
    output: OUTPUT,
    goal: { kind: 'images', count: request.images ?? 1 },
    hires: request.hires,
    requested: requestedSize(model, request),
    seed,
    model: model.name,
    onProgress,
    preview,
    timeLimitMinutes,
    readImage: (path) => inspectImage(pool, path, signal),
    signal
  });
  return { images, warnings: [...notices, ...unsent, ...warnings] };
}

/** The name of the previews within the scratch folder. */
const PREVIEW = 'preview.png';

/** A build that lacks previews makes the same image without them. */
function canPreview({ abilities: { options } }: EngineInUse): boolean {
  return options.has('--preview') && options.has('--preview-path');
}

/** Undefined where another size comes out as it should: the engine's own, that of an input image, or a second pass's. */
function requestedSize({ defaults }: SoundModel, request: GenerationRequest): ImageSize | undefined {
  const { width = defaults.width, height = defaults.height, hires } = request;
  return hires || width === undefined || height === undefined ? undefined : { width, height };
}
