import type { GenerationProgress } from '../../../shared/job-events';
import type { ModelName } from '../../../shared/model-name';
import type { ExaminedImage } from '../../gallery/png/png-look';
import type { EngineResult } from '../result-check';
import type { ImageSize } from '../run-record';
import type { RunPlan } from '../work-done';

/** One run, as sd-cli would get it. */
export interface ResidentRun {
  /** Absolute path of sd-server. */
  readonly serverPath: string;
  readonly model: ModelName;
  /** Tells the content of the model's files from any other: a server keeps what it has loaded. */
  readonly contentKey: string;
  /** Of the model's files together, in bytes. */
  readonly weightBytes: number;
  /** The arguments of sd-cli. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** How many images are asked for. */
  readonly images: number;
  /** The size that is asked for. */
  readonly requested?: ImageSize | undefined;
  /** The second pass that is asked for. */
  readonly hires?: RunPlan['hires'];
  /** Absolute path of the folder that the images are written into. */
  readonly folder: string;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** Decodes and judges a whole PNG file, possibly elsewhere; throws Failure 'bad-image'. */
  readonly readImage: (path: string) => Promise<ExaminedImage>;
  readonly signal: AbortSignal;
}

/** What sd-server made, and which one it was. */
export interface ServerResult extends EngineResult {
  /** In the form of `sd-cli --version`. */
  readonly version: string;
}
