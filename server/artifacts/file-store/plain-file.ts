import { type BigIntStats, constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Failure } from '../../../shared/failure';

/** Tells one content of a store's file from another: a file is replaced as a whole, never written to. */
export function versionOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}

/** The bytes of a file, and what was opened. */
export interface PlainFile {
  readonly bytes: Uint8Array;
  readonly found: BigIntStats;
}

/**
 * Reads a file, unless it is larger than a limit.
 * @param limit in bytes
 * @returns undefined when it is larger
 * @throws Failure when it is no plain file; system errors
 */
export async function readPlainFile(path: string, limit: number): Promise<PlainFile | undefined> {
  // Neither a link nor a pipe that took its place is followed or waited for; Windows knows neither flag.
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat({ bigint: true });
    requirePlainFile(found, path);
    const size = Number(found.size);
    if (size > limit) return undefined;
    const bytes = Buffer.alloc(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read) {
      read = (await file.read(bytes, length, size - length, length)).bytesRead;
    }
    return { bytes: bytes.subarray(0, length), found };
  } finally {
    await file.close();
  }
}

/** @throws Failure unless it is a plain file */
export function requirePlainFile(found: BigIntStats, path: string): void {
  if (found.isFile()) return;
  throw new Failure('file-access', 'In the place of an object lies something that is no plain file.', {
    subject: path,
    nextStep: 'Remove it from the folder of the store.'
  });
}
