import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { withFile } from '../platform/durable-files';
import type { FileHash, Hasher } from '../platform/hasher';
import { errorCode, isErrorWithCode } from '../platform/system-error';
import { stampKey } from './proof-log';
import type { Proofs } from './proofs';

/** The digest of a file, and when its bytes were read. */
export interface DigestReading extends FileHash {
  /** In ms since the epoch. */
  readonly readAt: number;
  /** Whether an earlier reading was remembered, so that none was needed now. */
  readonly isRemembered: boolean;
}

export interface ReadDigestOptions {
  readonly hasher: Hasher;
  readonly proofs: Proofs;
  readonly signal: AbortSignal;
  /** Whether to read the file even when what it holds is known. */
  readonly force?: boolean;
  /** Bytes hashed so far. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * A file that was changed this shortly before it was read may be changed again without a trace: the clocks of file
 * systems tick every 10 ms to 2 s. In ms.
 */
const UNSETTLED_MS = 3000;

/**
 * The digest of what a path names: what was remembered while the file is as it was then, else by reading it, which
 * is remembered if the file stayed as it was meanwhile.
 * @throws system errors, `Failure('cancelled')`
 */
export async function readDigest(path: string, options: ReadDigestOptions): Promise<DigestReading> {
  const { hasher, proofs, signal, force = false, onProgress } = options;
  const before = await lstat(path, { bigint: true });
  const known = force ? undefined : proofs.find(before);
  if (known) return { ...known, bytes: Number(before.size), isRemembered: true };
  const readAt = proofs.now();
  const hash = await hasher.hash(path, { signal, ...(onProgress && { onProgress }) }).catch(async (error: unknown) => {
    // What a disk has lost since it was read is not proved by that any more.
    if (isErrorWithCode(error, 'EIO')) await proofs.forget(path, before);
    throw error;
  });
  if (before.isFile() && isSettled(before, readAt) && (await isStillAs(path, before))) {
    await proofs.remember(path, before, { digest: hash.digest, readAt });
  }
  return { ...hash, readAt, isRemembered: false };
}

function isSettled({ mtimeMs, ctimeMs }: BigIntStats, now: number): boolean {
  return Math.max(Number(mtimeMs), Number(ctimeMs)) + UNSETTLED_MS < now;
}

/**
 * Whether a file was not touched while it was read. What was read may have come from memory, so it is written out
 * first: after a power cut the proof must not speak of bytes that never reached the disk.
 */
async function isStillAs(path: string, before: BigIntStats): Promise<boolean> {
  try {
    // Windows writes out only what is open for writing.
    if (process.platform !== 'win32') await withFile(path, 'r', (file) => file.sync());
    return stampKey(await lstat(path, { bigint: true })) === stampKey(before);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
