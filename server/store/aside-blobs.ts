import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, isDigest } from '../../shared/digest';
import { exists, makeDirectoryDurably, renameIfThere } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { isProvedDead, nonce, ownerTag, ownIdentity, parseOwnerTag } from '../platform/process-identity';
import type { CacheLayout } from './cache-layout';

/** A blob that a collection moved out of its place, until it is sure that nobody uses it. */
export interface AsideBlob {
  readonly digest: Digest;
  /** Absolute path. */
  readonly path: string;
}

/** Moves a blob out of its place. @returns undefined when it is gone already */
export async function setBlobAside(layout: CacheLayout, digest: Digest): Promise<AsideBlob | undefined> {
  await makeDirectoryDurably(layout.garbage);
  const path = join(layout.garbage, `${digest}.${ownerTag(await ownIdentity(), nonce())}`);
  return (await renameIfThere(layout.blob(digest), path)) ? { digest, path } : undefined;
}

/** Moves a blob back that was set aside; where another took its place meanwhile, that one stays. */
export async function putBlobBack(layout: CacheLayout, { digest, path }: AsideBlob): Promise<void> {
  const place = layout.blob(digest);
  await makeDirectoryDurably(dirname(place));
  if (await exists(place)) await rm(path, { force: true });
  else await renameIfThere(path, place);
}

/**
 * Moves blobs that seem to be unused aside, and those back that are used when all is looked at again: a job that began
 * in between finds its blob back, or takes it back itself.
 * @param lookAgain tells what is used when all of them are aside
 * @returns those that may be removed
 */
export async function setUnusedAside(
  layout: CacheLayout,
  digests: readonly Digest[],
  lookAgain: () => Promise<(digest: Digest) => boolean>
): Promise<readonly AsideBlob[]> {
  const aside: AsideBlob[] = [];
  for (const digest of digests) aside.push(...[await setBlobAside(layout, digest)].flatMap((blob) => blob ?? []));
  if (aside.length === 0) return [];
  const isUsed = await lookAgain();
  for (const blob of aside) if (isUsed(blob.digest)) await putBlobBack(layout, blob);
  return aside.filter(({ digest }) => !isUsed(digest));
}

/**
 * Brings back a blob that a collection has just set aside, for whoever needs it now; the collection finds it gone.
 * @returns whether there was one
 */
export async function reclaimBlob(layout: CacheLayout, digest: Digest): Promise<boolean> {
  for (const entry of await entriesOf(layout.garbage)) {
    if (!entry.startsWith(`${digest}.`)) continue;
    if (await renameIfThere(join(layout.garbage, entry), layout.blob(digest))) return true;
  }
  return false;
}

/** Puts back what collections of dead processes left aside. */
export async function putBackAbandoned(layout: CacheLayout): Promise<void> {
  for (const entry of await entriesOf(layout.garbage)) {
    const [digest = '', ...tag] = entry.split('.');
    const owner = parseOwnerTag(tag.join('.'));
    if (!isDigest(digest) || (owner && !(await isProvedDead(owner)))) continue;
    await putBlobBack(layout, { digest, path: join(layout.garbage, entry) });
  }
}
