import { lstat, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, isDigest } from '../../shared/digest';
import { artifactManifest } from '../../shared/manifest/artifact-manifest';
import { LARGEST_MANIFEST_BYTES } from '../../shared/manifest/source-manifest';
import {
  exists,
  makeDirectoryDurably,
  renameIfThere,
  syncDirectory,
  temporaryPath,
  writeFileDurably
} from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { areCopiesFree } from '../platform/free-copies';
import { isErrorWithCode } from '../platform/system-error';
import type { Blob } from './blob-store';
import { BUNDLE_MANIFEST, type CacheLayout } from './cache-layout';
import { placeBlob } from './place-blob';
import type { Proofs } from './proofs';

/** An artifact whose files are in the store. */
export interface FetchedBundle {
  readonly combined: Digest;
  readonly files: readonly { readonly name: string; readonly blob: Blob }[];
  /** Files of a few bytes that are no blobs, by name; `manifest.json` is one. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

/**
 * Artifacts as they were fetched, each in a folder of its combined hash, whole from the moment that the folder is there.
 * Only where its files take no room of their own; elsewhere the installed bundle has the only copies.
 */
export class FetchedBundles {
  constructor(
    private readonly layout: CacheLayout,
    private readonly proofs: Proofs
  ) {}

  /** Keeps an artifact, by one rename. The caller relies on its blobs. @throws system errors */
  async keep(bundle: FetchedBundle): Promise<void> {
    const { layout } = this;
    const folder = this.folder(bundle.combined);
    if (!(await areCopiesFree(layout.operations)) || (await exists(folder))) return;
    await makeDirectoryDurably(layout.fetched);
    const staging = await temporaryPath(layout.fetched);
    try {
      const blobs = bundle.files.map(({ blob }) => blob.path);
      await this.proofs.keepThrough(blobs, () => stage(staging, bundle));
      await rename(staging, folder);
      await syncDirectory(layout.fetched);
    } catch (error) {
      await this.discard(staging, bundle);
      // Somebody else fetched the same.
      if (!isErrorWithCode(error, 'ENOTEMPTY', 'EEXIST') && !(await exists(folder))) throw error;
    }
  }

  /** A document of an artifact; undefined when it does not lie here. The caller judges whether it is right. */
  async readDocument(combined: Digest, name: string): Promise<Uint8Array | undefined> {
    const path = join(this.folder(combined), name);
    try {
      const found = await lstat(path);
      return found.isFile() && found.size <= LARGEST_MANIFEST_BYTES ? await readFile(path) : undefined;
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  /** Combined hashes of the artifacts that lie here, each with the contents that it has. */
  async list(): Promise<ReadonlyMap<Digest, readonly Digest[]>> {
    const found = new Map<Digest, readonly Digest[]>();
    for (const combined of (await entriesOf(this.layout.fetched)).filter(isDigest)) {
      found.set(combined, await this.contentsOf(combined));
    }
    return found;
  }

  /** Removes an artifact, as a whole. Its contents stay in the store; no bundle has them from here. */
  async remove(combined: Digest): Promise<void> {
    const { layout } = this;
    const blobs = (await this.contentsOf(combined)).map((digest) => layout.blob(digest));
    const grave = await temporaryPath(layout.fetched);
    if (!(await renameIfThere(this.folder(combined), grave))) return;
    await this.proofs.keepThrough(blobs, () => rm(grave, { recursive: true, force: true }));
  }

  private folder(combined: Digest): string {
    return join(this.layout.fetched, combined);
  }

  private async contentsOf(combined: Digest): Promise<readonly Digest[]> {
    const bytes = await this.readDocument(combined, BUNDLE_MANIFEST);
    try {
      const parsed = artifactManifest.safeParse(JSON.parse(Buffer.from(bytes ?? []).toString('utf8')));
      return parsed.data?.files.map(({ sha256 }) => sha256) ?? [];
    } catch {
      // One that was damaged since holds nothing that anybody needs.
      return [];
    }
  }

  private async discard(staging: string, { files }: FetchedBundle): Promise<void> {
    const blobs = files.map(({ blob }) => blob.path);
    await this.proofs.keepThrough(blobs, () => rm(staging, { recursive: true, force: true }));
  }
}

/** Puts an artifact together, its manifest last. */
async function stage(folder: string, { files, documents }: FetchedBundle): Promise<void> {
  const folders = new Set([folder]);
  await makeDirectoryDurably(folder);
  for (const { name, blob } of files) {
    const target = join(folder, name);
    await makeDirectoryDurably(dirname(target));
    await placeBlob(blob.path, target);
    folders.add(dirname(target));
  }
  for (const written of folders) await syncDirectory(written);
  const last = [...documents].toSorted(([one]) => (one === BUNDLE_MANIFEST ? 1 : -1));
  for (const [name, bytes] of last) await writeFileDurably(join(folder, name), bytes);
}
