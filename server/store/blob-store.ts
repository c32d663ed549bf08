import type { BigIntStats } from 'node:fs';
import { chmod, lstat, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Digest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import { exists, makeDirectoryDurably, publishFile, syncFile } from '../platform/durable-files';
import { areCopiesFree } from '../platform/free-copies';
import type { FileHash, Hasher } from '../platform/hasher';
import { errorCode, isErrorWithCode } from '../platform/system-error';
import { putBlobBack, reclaimBlob, setBlobAside } from './aside-blobs';
import { type BundleFile, bundleFiles } from './bundle-index';
import type { CacheLayout } from './cache-layout';
import type { Proofs } from './proofs';
import { readDigest } from './read-digest';

/** A content that lies in the store, or where copies are not free in a bundle. */
export interface Blob {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
}

export interface FindOptions {
  /** Is given the path of a damaged blob before it is removed. */
  readonly salvage?: (path: string) => Promise<void>;
  /** Absolute paths that are looked at first where contents lie in bundles. */
  readonly preferred?: readonly string[];
}

/** Contents by digest, read-only, one copy each. */
export class BlobStore {
  private copiesAreFree: Promise<boolean> | undefined;

  constructor(
    private readonly layout: CacheLayout,
    private readonly hasher: Hasher,
    private readonly proofs: Proofs
  ) {}

  /**
   * The blob of a digest, proved by reading it, or by what was read before while it is as it was then. A blob that was
   * damaged since is removed and counts as absent, so that the caller fetches it again; so does one that the disk cannot
   * read. Bundles keep their own links to it, and it stays known that those are damaged. On a volume whose copies are
   * not free the only copy may be one in a bundle; it is proved in the same way.
   */
  async findProved(
    digest: Digest,
    signal: AbortSignal,
    { salvage, preferred = [] }: FindOptions = {}
  ): Promise<Blob | undefined> {
    const stored = await this.findStored(digest, signal, salvage);
    if (stored || !(await exists(this.layout.models)) || (await this.areCopiesFree())) return stored;
    return this.findInstalled(digest, signal, preferred);
  }

  /** Tried once: where there are bundles, it can be tried. */
  private areCopiesFree(): Promise<boolean> {
    this.copiesAreFree ??= areCopiesFree(this.layout.operations);
    return this.copiesAreFree;
  }

  /** Of several copies the first sound one; a damaged one stays for its own model's healing. */
  private async findInstalled(
    digest: Digest,
    signal: AbortSignal,
    preferred: readonly string[]
  ): Promise<Blob | undefined> {
    const { hasher, proofs } = this;
    const copies = (await bundleFiles(this.layout)).filter((file) => file.digest === digest);
    const isPreferred = ({ path }: BundleFile): number => (preferred.includes(path) ? 0 : 1);
    for (const { path } of copies.toSorted((a, b) => isPreferred(a) - isPreferred(b))) {
      try {
        if (!(await lstat(path)).isFile()) continue;
        const reading = await readDigest(path, { hasher, proofs, signal });
        if (reading.digest === digest) return { path, digest, bytes: reading.bytes };
      } catch (error) {
        if (errorCode(error) === undefined) throw error;
      }
    }
    return undefined;
  }

  private async findStored(
    digest: Digest,
    signal: AbortSignal,
    salvage: FindOptions['salvage']
  ): Promise<Blob | undefined> {
    const path = this.layout.blob(digest);
    if (!(await exists(path))) await reclaimBlob(this.layout, digest);
    try {
      const found = await lstat(path, { bigint: true });
      if (!found.isFile()) return undefined;
      const { hasher, proofs } = this;
      await proofs.refresh();
      // Before a content is thrown away it is read, whatever was remembered of it.
      const force = proofs.find(found)?.digest !== digest;
      const reading = await readDigest(path, { hasher, proofs, signal, force });
      if (reading.digest === digest) return { path, digest, bytes: reading.bytes };
      await salvage?.(path);
      await this.removeDamaged(digest, found);
    } catch (error) {
      // What the disk cannot read stays until a content that was fetched anew takes its place.
      if (!isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EIO')) throw error;
    }
    return undefined;
  }

  /**
   * Removes the content that was found damaged, and no other: another process may have put a sound one in its place.
   * So it is moved aside by name, looked at, and put back unless it is what was judged.
   */
  private async removeDamaged(digest: Digest, judged: BigIntStats): Promise<void> {
    const { layout, proofs } = this;
    const links = (await bundleFiles(layout)).filter((file) => file.digest === digest);
    await proofs.keepThrough(
      links.map((link) => link.path),
      async () => {
        const aside = await setBlobAside(layout, digest);
        if (!aside) return;
        if (isSameContent(judged, await lstat(aside.path, { bigint: true }))) await rm(aside.path, { force: true });
        else await putBlobBack(layout, aside);
      }
    );
  }

  /**
   * Takes a file into the store under the digest that was computed from it on disk. The file is gone from where it
   * was; the blob survives a power cut when this returns. That nobody else wrote to the file since it was hashed is
   * the caller's promise, kept by writing under a name of its own. A blob that is there and known to be right stays, and
   * with it the links to it.
   * @throws Failure('file-access') when the file does not have the size that was hashed
   */
  async commit(file: string, hash: FileHash): Promise<Blob> {
    const path = this.layout.blob(hash.digest);
    const { size } = await lstat(file);
    if (size !== hash.bytes) throw misread(file, size, hash.bytes);
    if (await this.isKnownToHold(path, hash.digest)) {
      await rm(file, { force: true });
      return { path, digest: hash.digest, bytes: hash.bytes };
    }
    await syncFile(file);
    await chmod(file, 0o444);
    await makeDirectoryDurably(dirname(path));
    await publishFile(file, path);
    const { proofs } = this;
    await proofs.remember(path, await lstat(path, { bigint: true }), { digest: hash.digest, readAt: proofs.now() });
    return { path, digest: hash.digest, bytes: hash.bytes };
  }

  private async isKnownToHold(path: string, digest: Digest): Promise<boolean> {
    try {
      const found = await lstat(path, { bigint: true });
      await this.proofs.refresh();
      return this.proofs.find(found)?.digest === digest;
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }
}

function misread(subject: string, bytes: number, hashed: number): Failure {
  return new Failure('file-access', `Of the ${bytes} bytes that were stored ${hashed} could be read back.`, {
    subject,
    nextStep: 'Check the disk; the data may be damaged.'
  });
}

function isSameContent(before: BigIntStats, after: BigIntStats): boolean {
  return before.ino === after.ino && before.dev === after.dev && before.mtimeNs === after.mtimeNs;
}
