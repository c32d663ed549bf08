import type { BatchProgress, FailedItem } from '../../../shared/batch';
import type { GeneratedImage } from '../../../shared/generation';
import type { PullEvent } from '../../../shared/job-events';
import type { PublishProgress } from '../../../shared/publication';

/** What happens while a batch runs. Items are counted from 1. */
export type BatchEvent =
  | { readonly type: 'pull'; readonly event: PullEvent }
  | { readonly type: 'progress'; readonly progress: BatchProgress }
  | { readonly type: 'made'; readonly item: number; readonly items: number; readonly image: GeneratedImage }
  | ({ readonly type: 'passed_over'; readonly items: number } & FailedItem)
  | { readonly type: 'publishing'; readonly progress: PublishProgress }
  | { readonly type: 'notice'; readonly sentence: string };

/** What somebody who waits for a batch hears and may do. */
export interface RunBatchOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: BatchEvent) => void;
  /** A folder of LoRAs instead of the one in the settings, an absolute path. */
  readonly loraFolder?: string | undefined;
  /** The name of a device in the settings, or `local`; absent: the one that the settings name. */
  readonly device?: string | undefined;
  /** A folder that all images are copied to when they are made, an absolute path. */
  readonly output?: string | undefined;
}
