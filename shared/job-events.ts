import type { FailureData } from './failure';

/** What happens during a pull, in order; progress at most ten times a second. Counts are bytes. */
export type PullEvent =
  | { readonly type: 'started'; readonly model: string; readonly files: number; readonly bytes: number | null }
  | {
      readonly type: 'file_started';
      readonly model: string;
      readonly filename: string;
      /** 1-based. */
      readonly index: number;
      readonly files: number;
      readonly bytes: number | null;
    }
  /** Bytes on this machine are read, to see whether they are those of the file. */
  | {
      readonly type: 'file_checking';
      readonly model: string;
      readonly filename: string;
      readonly checkedBytes: number;
      readonly fileBytes: number | null;
    }
  /** A server asked to be left alone for so long; the next event of a file ends it. */
  | { readonly type: 'waiting'; readonly model: string; readonly host: string; readonly seconds: number }
  | ({ readonly type: 'file_progress'; readonly model: string; readonly filename: string } & TransferProgress)
  | {
      /** Connections are closed; what was received is kept until somebody resumes the pull. */
      readonly type: 'paused';
      readonly model: string;
      readonly totalReceivedBytes: number;
      readonly totalBytes: number | null;
    }
  | { readonly type: 'resumed'; readonly model: string }
  | {
      readonly type: 'file_completed';
      readonly model: string;
      readonly filename: string;
      readonly index: number;
      readonly files: number;
      readonly bytes: number;
      /** Bytes of it that came from its source now. */
      readonly transferredBytes: number;
      readonly origin: FileOrigin;
    }
  | {
      readonly type: 'completed';
      readonly model: string;
      /** Bytes of the bundle. */
      readonly bytes: number;
      /** Bytes that came over the network. */
      readonly transferredBytes: number;
      readonly milliseconds: number;
    }
  | { readonly type: 'failed'; readonly model: string; readonly failure: FailureData };

/**
 * Where the bytes of a file came from. `stored`: they were in the blob store already. `adopted`: copied from another
 * place of this machine. `repaired`: some were right in a damaged copy, and the others were transferred. `resumed`: some
 * were transferred earlier.
 */
export type FileOrigin = 'transferred' | 'resumed' | 'stored' | 'adopted' | 'repaired';

/** How far a whole pull is, seen from one of its files. */
export interface TransferProgress {
  readonly receivedBytes: number;
  readonly fileBytes: number | null;
  readonly totalReceivedBytes: number;
  readonly totalBytes: number | null;
  /** Smoothed rate; null before it can be told. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** Where a run of the engine is. `waiting`: for its turn, before the engine is started. */
export type GenerationPhase =
  | 'waiting'
  | 'starting'
  | 'loading'
  | 'encoding'
  | 'sampling'
  | 'decoding'
  | 'enlarging'
  | 'converting'
  | 'installing'
  | 'saving';

/** A part of a model whose weights are being read. Each is read when it is first needed, so there is no total. */
export type ModelPart =
  | 'text-encoder'
  | 'image-encoder'
  | 'diffusion-model'
  | 'image-decoder'
  | 'lora'
  | 'upscale-model';

/** Where in the machine's queue a run waits. */
export interface QueuePlace {
  /** 2 for the one that comes after the one that runs. */
  readonly position: number;
  /** The model of the run before it; absent when nobody can tell. */
  readonly behind?: string;
}

/** Progress of a generation, at most ten times a second. */
export interface GenerationProgress {
  readonly model: string;
  readonly phase: GenerationPhase;
  /** What is being read while weights are read. */
  readonly part?: ModelPart;
  /** How much of these weights is read, 0 to 1. */
  readonly loaded?: number;
  /** Sampling step, 1-based, with the number of steps really run. */
  readonly step?: number;
  readonly steps?: number;
  readonly secondsPerStep?: number;
  /** 1-based, when the image is sampled twice, the second time at its final size. */
  readonly pass?: number;
  readonly passes?: number;
  /** Tiles that are decoded or enlarged, 1-based. */
  readonly tile?: number;
  readonly tiles?: number;
  /** Which image of the batch, 1-based. */
  readonly image: number;
  readonly images: number;
  /** How much of the work is done, 0 to 1; never falls. Absent before anybody can tell. */
  readonly fraction?: number;
  /** Never rises; absent before it can be told, and as long as it turned out to be wrong. */
  readonly secondsLeft?: number;
  readonly queue?: QueuePlace;
}

/** Progress of a deep verification, in bytes that are hashed now or known from before. */
export interface VerifyProgress {
  readonly model: string;
  readonly hashedBytes: number;
  readonly totalBytes: number;
}

/** Progress of a job on a repository of the Hugging Face cache. */
export interface HubCacheProgress {
  /** `hf:owner/repo`. */
  readonly reference: string;
  readonly phase: 'verifying' | 'fetching';
  /** Bytes that are done with: hashed now or known from before, or received. */
  readonly doneBytes: number;
  /** null while nobody knows it. */
  readonly totalBytes: number | null;
}
