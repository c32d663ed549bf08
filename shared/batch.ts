import type { FailureData } from './failure';
import type { GeneratedImage } from './generation';
import type { GenerationProgress } from './job-events';
import type { PublishResult } from './publication';

/** Which batch is to be run, and how it begins. */
export interface BatchParams {
  /** Absolute path of the batch file. */
  readonly file: string;
  /** Where its checkpoint is kept: the name of a store in the settings, or an address; absent: a folder of the cache. */
  readonly store?: string | undefined;
  /** Whether to go on where the batch stopped, here or elsewhere; it fails when there is nothing to go on with. */
  readonly resume: boolean;
  /** Whether to give up a checkpoint that is there, and the images that it lists. */
  readonly restart?: boolean | undefined;
  /** How long the engine may take for one image, in minutes; absent or 0: for ever. */
  readonly timeLimitMinutes?: number | undefined;
  /** Whether the results are published in the store that is named, under the name of the job, before the batch is over. */
  readonly publish?: boolean | undefined;
}

/** A batch that was begun or continued on this machine. */
export interface BatchSummary {
  /** The name of the job. */
  readonly job: string;
  /** Absolute path of the batch file. */
  readonly file: string;
  /** As {@link BatchParams.store}. */
  readonly store: string;
  /** `running`: in a process of this machine. */
  readonly state: 'running' | 'stopped' | 'done';
  readonly items: number;
  /** Items that have an image, and items that were passed over. */
  readonly done: number;
  readonly failed: number;
  /** Whether the server that was asked runs it, so that cancelling its request stops it. */
  readonly isHere: boolean;
  readonly startedAtUnixMs: number;
  /** What is being made, when this server runs it. */
  readonly current?: BatchCurrent;
}

/** The item of a batch that is being made. */
export interface BatchCurrent {
  readonly model: string;
  readonly prompt: string;
  /** 1-based. */
  readonly item: number;
  readonly progress?: GenerationProgress;
}

/** What tells a batch from others. */
export type BatchName = Pick<BatchSummary, 'job' | 'store'>;

/** An image that a batch made. */
export interface BatchImage {
  /** Absolute path of its file in the gallery. */
  readonly path: string;
  readonly prompt: string;
}

/** An item that was passed over. */
export interface FailedItem {
  /** 1-based. */
  readonly item: number;
  readonly failure: FailureData;
}

/** What a batch came to. */
export interface BatchResult {
  readonly job: string;
  readonly items: number;
  /** Images that were made by this run, and those that were there from runs before. */
  readonly made: number;
  readonly reused: number;
  readonly failed: readonly FailedItem[];
  /** In the order of the items; all of them are in the gallery of this machine. */
  readonly images: readonly GeneratedImage[];
  /** Things that the user should know although the images are there, one sentence each. */
  readonly warnings: readonly string[];
  /** Set when the results were published. */
  readonly published?: PublishResult;
}

/** How far a batch is, at most ten times a second while an item is made. */
export interface BatchProgress {
  readonly job: string;
  /** Absolute path of the batch file. */
  readonly file: string;
  /** The one under way, 1-based; that which came last when none is. */
  readonly item: number;
  readonly items: number;
  readonly done: number;
  readonly failed: number;
  readonly generation?: GenerationProgress;
}
