import { chmod, lstat, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Digest } from '../../shared/digest';
import { makeDirectoryDurably, publishFile, syncFile } from '../platform/durable-files';
import type { FileHash, Hasher } from '../platform/hasher';
import { isErrorWithCode } from '../platform/system-error';
import type { CacheLayout } from './cache-layout';

/** A content that lies in the store. */
export interface Blob {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
}

/** Contents by digest, read-only, one copy each. */
export class BlobStore {
  constructor(
    private readonly layout: CacheLayout,
    private readonly hasher: Hasher
  ) {}

  /**
   * The blob of a digest, proved by reading it: a blob that was damaged since is removed and counts as absent, so
   * that the caller fetches it again. Other bundles keep their own link to it.
   */
  async findProved(digest: Digest, signal: AbortSignal): Promise<Blob | undefined> {
    const path = this.layout.blob(digest);
    try {
      if (!(await lstat(path)).isFile()) return undefined;
      const hash = await this.hasher.hash(path, { signal });
      if (hash.digest === digest) return { path, digest, bytes: hash.bytes };
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
    await rm(path, { force: true });
    return undefined;
  }

  /**
   * Takes a file into the store under the digest that was computed from it on disk. The file is gone from where it
   * was; the blob survives a power cut when this returns.
   */
  async commit(file: string, hash: FileHash): Promise<Blob> {
    const path = this.layout.blob(hash.digest);
    await syncFile(file);
    await chmod(file, 0o444);
    await makeDirectoryDurably(dirname(path));
    await publishFile(file, path);
    return { path, digest: hash.digest, bytes: hash.bytes };
  }
}
