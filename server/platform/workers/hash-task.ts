import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import * as z from 'zod';
import { cancelled } from '../../../shared/failure';
import type { TaskContext } from './serve-tasks';

/** The task's name in the pool. */
export const HASH_TASK = 'hash';

export const hashInput = z.object({
  path: z.string(),
  /** Whether the file still grows; then only what was announced is read, until its end is announced. */
  grows: z.boolean(),
  /** `git-sha1`: the SHA-1 of git's object for the content; only of files that do not grow. */
  algorithm: z.enum(['sha256', 'git-sha1']).default('sha256')
});

/** What a growing file's writer tells: bytes that are written and may be read, and whether they are all. */
export const growth = z.object({ bytes: z.int().min(0), complete: z.boolean() });

export const hashResult = z.object({ digest: z.string(), bytes: z.int().min(0) });

export type HashInput = z.input<typeof hashInput>;
export type Growth = z.infer<typeof growth>;

/** One read; measured to be as fast as any larger one. */
const READ_BYTES = 1024 * 1024;

/** Progress is reported every so many bytes. */
const PROGRESS_BYTES = 8 * READ_BYTES;

/**
 * Hashes a file from disk with two buffers: one is read into while the other is hashed. A growing file is
 * followed behind its writer, so that the digest is there moments after the last byte.
 */
export async function hashTask(raw: unknown, context: TaskContext): Promise<z.infer<typeof hashResult>> {
  const input = hashInput.parse(raw);
  const limit = new ReadLimit(input.grows ? 0 : Number.MAX_SAFE_INTEGER, !input.grows);
  context.listen((message) => limit.raise(growth.parse(message)));
  context.signal.addEventListener('abort', () => limit.wake());
  // A pipe in a file's place is opened without waiting for a writer, and then ends at once.
  const file = await open(input.path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await hashUpTo(file, await startHash(file, input), limit, context);
  } finally {
    await file.close();
  }
}

async function startHash(file: FileHandle, { algorithm }: z.infer<typeof hashInput>): Promise<Hash> {
  if (algorithm === 'sha256') return createHash('sha256');
  // git puts the kind and the length in front of the content.
  return createHash('sha1').update(`blob ${(await file.stat()).size}\0`);
}

async function hashUpTo(
  file: FileHandle,
  hash: Hash,
  limit: ReadLimit,
  context: TaskContext
): Promise<z.infer<typeof hashResult>> {
  const buffers = [Buffer.allocUnsafe(READ_BYTES), Buffer.allocUnsafe(READ_BYTES)] as const;
  let requested = 0;
  let hashed = 0;
  let reported = 0;
  const read = async (buffer: Buffer): Promise<Buffer> => {
    const allowed = await limit.beyond(requested, context.signal);
    const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, allowed - requested), requested);
    requested += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let [current, other] = buffers;
  let pending = read(current);
  for (;;) {
    const chunk = await pending;
    if (context.signal.aborted) throw cancelled('Hashing');
    if (chunk.length === 0) return { digest: hash.digest('hex'), bytes: hashed };
    [current, other] = [other, current];
    pending = read(current);
    hash.update(chunk);
    hashed += chunk.length;
    if (hashed - reported >= PROGRESS_BYTES) {
      reported = hashed;
      context.progress(hashed);
    }
  }
}

/** How far a reader may go, and its waiting place. */
class ReadLimit {
  private waiting: (() => void) | undefined;

  constructor(
    private bytes: number,
    private complete: boolean
  ) {}

  raise({ bytes, complete }: Growth): void {
    this.bytes = bytes;
    this.complete = complete;
    this.wake();
  }

  wake(): void {
    this.waiting?.();
    this.waiting = undefined;
  }

  /** Waits until there is something after `position` or nothing more to come; gives the limit in bytes. */
  async beyond(position: number, signal: AbortSignal): Promise<number> {
    while (this.bytes <= position && !this.complete && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    return signal.aborted ? position : Math.max(this.bytes, position);
  }
}
