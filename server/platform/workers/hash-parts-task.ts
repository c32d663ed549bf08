import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { cancelled } from '../../../shared/failure';
import { HashReading } from './hash-reading';
import type { TaskHandler } from './serve-tasks';

/** The task's name in the pool. */
export const HASH_PARTS_TASK = 'hash-parts';

interface HashPartsInput {
  readonly path: string;
  /** Parts of the file in order; `end` is the byte behind the last one. */
  readonly parts: readonly { readonly start: number; readonly end: number }[];
}

export interface HashPartsTask {
  readonly name: typeof HASH_PARTS_TASK;
  readonly input: HashPartsInput;
  /** The digest of each part; null where the file ends before the part does. */
  readonly result: readonly (string | null)[];
}

/** Hashes parts of a file from disk, each by itself. Progress is in bytes hashed. */
export const hashPartsTask: TaskHandler<HashPartsTask> = async ({ path, parts }, context) => {
  // A pipe in a file's place is opened without waiting for a writer, and then ends at once.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const digests: (string | null)[] = [];
    let hashed = 0;
    for (const { start, end } of parts) {
      digests.push(await hashPart(file, { start, end }, context.signal));
      hashed += end - start;
      context.progress(hashed);
    }
    return digests;
  } finally {
    await file.close();
  }
};

async function hashPart(
  file: FileHandle,
  { start, end }: HashPartsInput['parts'][number],
  signal: AbortSignal
): Promise<string | null> {
  const hash = createHash('sha256');
  const reading = new HashReading(file.fd, hash, start);
  while (reading.position < end) {
    if (signal.aborted) throw cancelled('Hashing');
    if (!reading.take(end)) return null;
    await setImmediate();
  }
  return hash.digest('hex');
}
