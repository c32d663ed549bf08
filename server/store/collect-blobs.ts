import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../../shared/digest';
import { entriesOf } from '../platform/folder-entries';
import { areCopiesFree } from '../platform/free-copies';
import { isErrorWithCode } from '../platform/system-error';
import { putBackAbandoned, setUnusedAside } from './aside-blobs';
import { assessBundleFolder } from './bundle-state';
import type { CacheLayout } from './cache-layout';
import { reliedOn } from './reliance';

/** What a collection freed, or would free. */
export interface CollectedBlobs {
  readonly digests: readonly Digest[];
  readonly bytes: number;
  /** Whether nothing was collected because a pull is under way whose contents nobody can name yet. */
  readonly isPutOff: boolean;
}

export interface CollectBlobsOptions {
  /** Says what would be freed and changes nothing. */
  readonly dryRun: boolean;
  /** Contents to be kept for reasons that lie outside of the bundles' manifests; asked again before anything goes. */
  readonly alsoUsed: () => Promise<ReadonlySet<Digest>>;
  /** How many links to contents would be gone by then of a collection that is only imagined. */
  readonly linksGone?: ReadonlyMap<Digest, number> | undefined;
}

/**
 * Removes the blobs that no bundle's manifest lists and no job relies on; link counts say nothing. Where copies are not
 * free, those go as well that lie in a bundle, which are there twice. Each is moved aside, then all is looked at again,
 * and only what is still unused goes. Several collections may run at the same time.
 */
export async function collectBlobs(
  layout: CacheLayout,
  { dryRun, alsoUsed, linksGone = new Map() }: CollectBlobsOptions
): Promise<CollectedBlobs> {
  if (!dryRun) await putBackAbandoned(layout);
  const first = await usedContents(layout, alsoUsed);
  if (first.open) return { digests: [], bytes: 0, isPutOff: true };
  const unused = (await blobsOf(layout)).filter((digest) => !first.digests.has(digest));
  if (dryRun) {
    const names = unused.map((digest) => ({ path: layout.blob(digest), links: 1 + (linksGone.get(digest) ?? 0) }));
    return { digests: unused, bytes: await bytesOf(names), isPutOff: false };
  }
  const garbage = await setUnusedAside(layout, unused, async () => {
    const now = await usedContents(layout, alsoUsed);
    return (digest) => now.open || now.digests.has(digest);
  });
  const bytes = await bytesOf(garbage.map(({ path }) => ({ path, links: 1 })));
  for (const { path } of garbage) await rm(path, { force: true });
  return { digests: garbage.map(({ digest }) => digest), bytes, isPutOff: false };
}

/** Jobs before bundles: a job that ends in between has its bundle in place by then. */
async function usedContents(layout: CacheLayout, alsoUsed: CollectBlobsOptions['alsoUsed']) {
  const relied = await reliedOn(layout);
  const digests = new Set<Digest>([...relied.digests, ...(await alsoUsed())]);
  const needsBlobs = await areCopiesFree(layout.operations);
  // A bundle on its way in or out may end in its place again.
  for (const folder of [layout.staging, layout.purge, layout.models, layout.purge]) {
    for (const entry of await entriesOf(folder)) {
      const bundle = await assessBundleFolder(join(folder, entry));
      if (bundle.kind !== 'present') continue;
      for (const { file, problem } of bundle.files) {
        const isThere = folder === layout.models && problem === undefined;
        if (needsBlobs || !isThere) digests.add(file.sha256);
      }
    }
  }
  return { digests, open: relied.open };
}

async function blobsOf(layout: CacheLayout): Promise<Digest[]> {
  const digests: Digest[] = [];
  for (const folder of await entriesOf(layout.blobs)) {
    for (const name of await entriesOf(join(layout.blobs, folder))) if (isDigest(name)) digests.push(name);
  }
  return digests;
}

/** Bytes that go with these names; a content with more links than those that go stays. */
async function bytesOf(names: readonly { readonly path: string; readonly links: number }[]): Promise<number> {
  let bytes = 0;
  for (const { path, links } of names) {
    try {
      const { size, nlink } = await lstat(path);
      if (nlink <= links) bytes += size;
    } catch (error) {
      // Somebody took it back.
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
  }
  return bytes;
}
