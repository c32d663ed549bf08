import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationProgress } from '../../../shared/job-events';
import type { InputImages } from '../../engine/arguments/engine-arguments';
import { prepareInputs } from '../../engine/inputs/prepare-inputs';
import { type PreviewFrame, previewOptions } from '../../engine/preview';
import type { EngineResult } from '../../engine/result-check';
import { runEngine } from '../../engine/run';
import type { ImageSize } from '../../engine/run-record';
import type { EngineInUse } from '../engine/engine-in-use';
import { inspectImage } from '../inspect-image';
import type { Services } from '../services';
import { OUTPUT, prepareRun, type RunParts } from './prepare';

/** The names that input images had before they were kept, by the path where they are kept. */
export type InputNames = ReadonlyMap<string, string>;

/** What somebody who waits for a generation hears and may do. */
export interface GenerateOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** A folder of LoRAs instead of the one in the settings, an absolute path. */
  readonly loraFolder?: string | undefined;
  /** Absent: no previews are made. */
  readonly onPreview?: ((frame: PreviewFrame) => void) | undefined;
  /** How long the engine may run, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
  /** Hears before the run what is among the warnings afterwards, too. */
  readonly onNotice?: (sentence: string) => void;
  /** Set when an image is repeated: its request says all that it means, so no defaults count. */
  readonly repeats?: { readonly inputNames: InputNames } | undefined;
}

/** What a run gave, and the images that the engine was given for it. */
export interface RunResult extends EngineResult {
  readonly inputs: InputImages;
}

/** Runs the engine in a scratch folder, where its images are afterwards, checked. @throws Failure */
export async function runGeneration(
  { pool }: Services,
  parts: RunParts,
  { signal, onProgress, onPreview, timeLimitMinutes }: GenerateOptions
): Promise<RunResult> {
  const { model, request, engine, seed, scratch } = parts;
  const { images: inputs, notices } = await prepareInputs(scratch, request, { pool, size: request, signal });
  const preview = onPreview && canPreview(engine) ? { file: PREVIEW, onFrame: onPreview } : undefined;
  const { options, unsent } = await prepareRun(parts, inputs);
  const { images, warnings } = await runEngine({
    enginePath: engine.path,
    arguments: preview ? [...options, ...previewOptions(PREVIEW)] : options,
    environment: engine.environment,
    scratch,
    output: OUTPUT,
    goal: { kind: 'images', count: request.images ?? 1 },
    hires: request.hires,
    requested: requestedSize(request),
    seed,
    model: model.name,
    onProgress,
    preview,
    timeLimitMinutes,
    readImage: (path) => inspectImage(pool, path, signal),
    signal
  });
  return { images, inputs, warnings: [...notices, ...unsent, ...warnings] };
}

/** The name of the previews within the scratch folder. */
const PREVIEW = 'preview.png';

/** A build that lacks previews makes the same image without them. */
function canPreview({ abilities: { options } }: EngineInUse): boolean {
  return options.has('--preview') && options.has('--preview-path');
}

/** Undefined where another size comes out as it should: the engine's own, that of an input image, or a second pass's. */
function requestedSize({ width, height, hires }: GenerationRequest): ImageSize | undefined {
  return hires || width === undefined || height === undefined ? undefined : { width, height };
}
