import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { cancelled } from '../../../shared/failure';
import { HashReading, TURN_BYTES } from './hash-reading';
import type { TaskContext, TaskHandler } from './serve-tasks';

/** The task's name in the pool. */
export const HASH_TASK = 'hash';

export interface HashInput {
  readonly path: string;
  /** Whether the file still grows; then only what was announced is read, until its end is announced. */
  readonly grows: boolean;
  /** `git-sha1`: the SHA-1 of git's object for the content; only of files that do not grow. Absent: `sha256`. */
  readonly algorithm?: 'sha256' | 'git-sha1';
}

/** What a growing file's writer tells: bytes that are written and may be read, and whether they are all. */
export interface Growth {
  readonly bytes: number;
  readonly complete: boolean;
}

/** Hexadecimal, of so many bytes. */
interface HashResult {
  readonly digest: string;
  readonly bytes: number;
}

export interface HashTask {
  readonly name: typeof HASH_TASK;
  readonly input: HashInput;
  readonly result: HashResult;
}

/** Progress is reported every so many bytes. */
const PROGRESS_BYTES = 2 * TURN_BYTES;

/**
 * Hashes a file from disk. A growing file is followed behind its writer, so that the digest is there moments after the
 * last byte.
 */
export const hashTask: TaskHandler<HashTask> = async (input, context) => {
  const limit = new ReadLimit(input.grows ? 0 : Number.MAX_SAFE_INTEGER, !input.grows);
  context.listen((message: Growth) => limit.raise(message));
  context.signal.addEventListener('abort', () => limit.wake());
  // A pipe in a file's place is opened without waiting for a writer, and then ends at once.
  const file = await open(input.path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await hashUpTo(file, await startHash(file, input), limit, context);
  } finally {
    await file.close();
  }
};

async function startHash(file: FileHandle, { algorithm = 'sha256' }: HashInput): Promise<Hash> {
  if (algorithm === 'sha256') return createHash('sha256');
  // git puts the kind and the length in front of the content.
  return createHash('sha1').update(`blob ${(await file.stat()).size}\0`);
}

async function hashUpTo(file: FileHandle, hash: Hash, limit: ReadLimit, context: TaskContext): Promise<HashResult> {
  const reading = new HashReading(file.fd, hash);
  let reported = 0;
  for (;;) {
    const allowed = await limit.beyond(reading.position, context.signal);
    if (context.signal.aborted) throw cancelled('Hashing');
    if (allowed === reading.position || !reading.take(allowed)) {
      return { digest: hash.digest('hex'), bytes: reading.position };
    }
    if (reading.position - reported >= PROGRESS_BYTES) {
      reported = reading.position;
      context.progress(reported);
    }
    await setImmediate();
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
