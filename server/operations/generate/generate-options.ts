import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationProgress } from '../../../shared/job-events';
import type { InputImages } from '../../engine/arguments/engine-arguments';
import type { PreviewFrame } from '../../engine/preview';
import type { EngineResult } from '../../engine/result-check';
import type { ImageSize } from '../../engine/run-record';
import type { ImageDescription } from '../../gallery/sidecar';
import type { EngineInUse } from '../engine/engine-in-use';
import type { RunParts } from './prepare';

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
  /** The name of a device in the settings, or `local`; absent: the one that the settings name. */
  readonly device?: string | undefined;
}

/** One run of the engine of this machine. */
export interface LocalRun extends RunParts {
  readonly engine: EngineInUse;
}

/** What a run gave. */
export interface RunResult extends EngineResult {
  /** The images that the engine was given for it. */
  readonly inputs: InputImages;
  /** The engine that made it. */
  readonly engine: ImageDescription['engine'];
}

/** The size that an image has to have. Undefined where another size comes out as it should: the engine's own, that of an input image, or a second pass's. */
export function requestedSize({ width, height, hires }: GenerationRequest): ImageSize | undefined {
  return hires || width === undefined || height === undefined ? undefined : { width, height };
}
