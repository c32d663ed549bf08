import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { cancelled } from '../../../shared/failure';
import { HashReading } from './hash-reading';
import type { TaskContext } from './serve-tasks';

/** The task's name in the pool. */
export const HASH_PARTS_TASK = 'hash-parts';

const offset = z.int().min(0);

export const hashPartsInput = z.object({
  path: z.string(),
  /** Parts of the file in order; `end` is the byte behind the last one. */
  parts: z.array(z.object({ start: offset, end: offset }))
});

/** The digest of each part; null where the file ends before the part does. */
export const hashPartsResult = z.object({ digests: z.array(z.string().nullable()) });

export type HashPartsInput = z.infer<typeof hashPartsInput>;

/** Hashes parts of a file from disk, each by itself. Progress is in bytes hashed. */
export async function hashPartsTask(raw: unknown, context: TaskContext): Promise<z.infer<typeof hashPartsResult>> {
  const { path, parts } = hashPartsInput.parse(raw);
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
    return { digests };
  } finally {
    await file.close();
  }
}

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
