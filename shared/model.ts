import type { Conversion } from './conversion';
import type { Role } from './roles';

/**
 * `missing`: stamped installed, folder gone. `outdated`: sound, but not what the manifest in view asks for. `invalid`:
 * known from nothing but a manifest that has mistakes.
 */
export type ModelStatus = 'registered' | 'installed' | 'missing' | 'unhealthy' | 'outdated' | 'invalid';

/** `unverifiable`: usable, but nothing to prove it with. `corrupt`: missing, empty, or the digest differs. */
export type Verdict = 'verified' | 'unverifiable' | 'corrupt';

/** One file of a model as lists show it. */
export interface ModelFile {
  readonly path: string;
  readonly role?: Role;
  /** Size in bytes; absent while nobody knows it. */
  readonly bytes?: number;
  /** Whether the installed bundle holds the file with the right size. */
  readonly present: boolean;
}

/**
 * A pull that was begun and is not finished. `partial`: nobody works on it; `receivedBytes` were received of files
 * that are not complete, `heldBytes` counts the complete ones, too. `elsewhere`: another process is at it.
 */
export type UnfinishedPull =
  | { readonly kind: 'partial'; readonly receivedBytes: number; readonly heldBytes: number }
  | { readonly kind: 'elsewhere' };

/** One model as lists show it. */
export interface ModelSummary {
  readonly name: string;
  readonly status: ModelStatus;
  /** Why the status is what it is, one sentence; absent when there is nothing to explain. */
  readonly reason?: string;
  readonly task?: string;
  /** Bytes of all files: measured when installed, else what the manifest says; absent when unknown. */
  readonly bytes?: number;
  readonly files: readonly ModelFile[];
  /** What was begun of the model; never of an installed one. */
  readonly unfinished?: UnfinishedPull;
  /** How the model was made of another one on this machine; absent when it comes from elsewhere. */
  readonly madeHere?: Conversion;
  /** URI of the source manifest that the model comes from. */
  readonly manifestUri?: string;
  /** When every file was read and found as it should be, and none changed since; in ms since the epoch. */
  readonly checkedAt?: number;
  /** Folder of the installed bundle. */
  readonly folder?: string;
}

/** Whether a model only makes images larger: it generates none. */
export function isUpscaler({ files }: Pick<ModelSummary, 'files'>): boolean {
  const roles = new Set(files.map(({ role }) => role));
  return roles.has('upscale_model') && !roles.has('model') && !roles.has('diffusion_model');
}

/** The verdict on one file. */
export interface FileVerdict {
  readonly path: string;
  readonly verdict: Verdict;
  /** What is wrong or why nothing can be proved; absent for verified files. */
  readonly reason?: string;
  /** When the bytes were read, in ms since the epoch, if not now: the file has not changed since. */
  readonly provedAt?: number;
}

/** What a verification found; it changes nothing on disk. */
export interface VerifyReport {
  readonly model: string;
  /** `quick`: existence, sizes, and what is remembered of digests. `deep`: digests of every byte. */
  readonly depth: 'quick' | 'deep';
  readonly healthy: boolean;
  readonly files: readonly FileVerdict[];
  /** Problems of the bundle as a whole (manifest missing, extra file, …), one sentence each. */
  readonly problems: readonly string[];
  /** Bytes that were read now; those of files that were proved before are not. */
  readonly bytes: number;
  readonly milliseconds: number;
}
