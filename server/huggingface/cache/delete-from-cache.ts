import { lstat, rm, unlink } from 'node:fs/promises';
import { isErrorWithCode } from '../../platform/system-error';
import type { CacheContents } from './cache-contents';
import { unreferencedBlobs } from './describe-cache';
import { type DeletionPlan, unusedShared } from './plan-deletion';
import { readCache, sharedUsersPath } from './read-cache';

/**
 * Deletes what is planned: first what leads to contents, then the contents, so that after a crash at any instant
 * nothing leads to a content that is gone, and what is left over can be pruned. Before a content goes the cache is
 * read again: what another program uses by now stays.
 * @throws system errors
 */
export async function deleteFromCache(root: string, plan: DeletionPlan): Promise<void> {
  for (const path of plan.refs) await removeFile(path);
  for (const path of [...plan.snapshots, ...plan.notes]) await removeTree(path);
  const contents = await readCache(root);
  const blobs = contents ? stillUnused(contents, plan) : [];
  for (const path of blobs) await removeFile(path);
  await deleteShared(root, plan);
  // A repository that could not be read as a whole goes as a whole all the same, unless somebody downloads into it.
  for (const folder of plan.repositories) if (!isInUse(contents, folder, plan)) await removeTree(folder);
}

function isInUse(contents: CacheContents | undefined, folder: string, plan: DeletionPlan): boolean {
  const repository = contents?.repositories.find(({ places }) => places.folder === folder);
  if (!repository) return false;
  const planned = new Set(plan.blobs);
  const isNew = [...repository.blobs, ...repository.incomplete].some(({ path }) => !planned.has(path));
  return isNew || repository.revisions.some(({ files }) => files.length > 0);
}

function stillUnused({ repositories }: CacheContents, { blobs }: DeletionPlan): string[] {
  const unused = new Set(
    repositories.flatMap((repository) => [
      ...unreferencedBlobs(repository).map(({ path }) => path),
      ...repository.incomplete.map(({ path }) => path)
    ])
  );
  return blobs.filter((path) => unused.has(path));
}

async function deleteShared(root: string, { shared }: DeletionPlan): Promise<void> {
  if (shared.length === 0) return;
  const contents = await readCache(root);
  const unused = contents ? unusedShared(contents, new Set()) : [];
  for (const { file } of unused.filter((blob) => shared.includes(blob.file.path))) {
    await removeFile(file.path);
    await removeFile(sharedUsersPath(file.path));
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
  }
}

/** Links are removed, never followed. */
async function removeTree(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isDirectory()) await rm(path, { recursive: true, force: true });
    else await unlink(path);
  } catch (error) {
    // Another program may put something there while it is emptied; that stays.
    if (!isErrorWithCode(error, 'ENOENT', 'ENOTEMPTY')) throw error;
  }
}
