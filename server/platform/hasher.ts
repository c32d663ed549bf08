import { type Digest, parseDigest } from '../../shared/digest';
import { DiskTurns } from './disk-turns';
import { type Growth, HASH_TASK, type HashTask } from './workers/hash-task';
import type { StartedTask, TaskOptions, WorkerPool } from './workers/worker-pool';

/** What was read from disk: the digest of exactly so many bytes. */
export interface FileHash {
  readonly digest: Digest;
  readonly bytes: number;
}

/** Hashes a file behind its writer. */
export interface FollowingHash {
  /** Announces that the first `bytes` bytes are written and may be read. */
  advance(bytes: number): void;
  /** Announces that the file has `bytes` bytes and is complete; gives its hash. */
  finish(bytes: number): Promise<FileHash>;
}

/** The SHA-1 by which git names a content of so many bytes. */
export interface GitHash {
  /** 40 lower-case hexadecimal digits. */
  readonly sha1: string;
  readonly bytes: number;
}

/** Hashes files from disk in worker threads. */
export interface Hasher {
  /** Progress is in bytes hashed. @throws system errors, `Failure('cancelled')` */
  hash(path: string, options?: TaskOptions): Promise<FileHash>;
  /** The same by git's rule: the SHA-1 of `blob <length>`, a zero byte, and the content. */
  hashForGit(path: string, options?: TaskOptions): Promise<GitHash>;
  /** Starts to hash a file that is still being written, from its first byte. */
  follow(path: string, options?: TaskOptions): FollowingHash;
}

/**
 * The hasher of a server or command line: tasks of the pool. Of files that are whole, one at a time is read from each
 * rotating disk.
 */
export function createHasher(pool: WorkerPool, turns = new DiskTurns()): Hasher {
  return {
    hash(path, options) {
      const read = async (): Promise<FileHash> =>
        fileHash(await pool.start<HashTask>(HASH_TASK, { path, grows: false }, options).result);
      return turns.take(path, options?.signal, read);
    },
    hashForGit(path, options) {
      const input = { path, grows: false, algorithm: 'git-sha1' } as const;
      const read = async (): Promise<GitHash> => {
        const { digest, bytes } = await pool.start<HashTask>(HASH_TASK, input, options).result;
        return { sha1: digest, bytes };
      };
      return turns.take(path, options?.signal, read);
    },
    follow(path, options) {
      const task = pool.start<HashTask>(HASH_TASK, { path, grows: true }, options);
      // Whoever cancels may never ask for the result; its rejection is then nobody's.
      task.result.catch(() => undefined);
      return {
        advance: (bytes) => announce(task, { bytes, complete: false }),
        async finish(bytes) {
          announce(task, { bytes, complete: true });
          return fileHash(await task.result);
        }
      };
    }
  };
}

function announce(task: StartedTask, message: Growth): void {
  task.tell(message);
}

function fileHash({ digest, bytes }: HashTask['result']): FileHash {
  const parsed = parseDigest(digest);
  if (!parsed) throw new Error('the worker gave no digest');
  return { digest: parsed, bytes };
}
