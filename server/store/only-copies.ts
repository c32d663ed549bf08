import { dirname, join } from 'node:path';
import { exists, makeDirectoryDurably, renameIfThere, syncDirectory } from '../platform/durable-files';
import { areCopiesFree } from '../platform/free-copies';
import { assessBundleFolder } from './bundle-state';
import type { CacheLayout } from './cache-layout';
import { reliedOn } from './reliance';

/**
 * Moves contents that jobs rely on out of a bundle that is about to be removed into the store, where copies are not
 * free and the bundle has the only one. A job that begins after the bundle was set aside does not find them in it.
 */
export async function keepReliedOn(layout: CacheLayout, folder: string): Promise<void> {
  const { digests } = await reliedOn(layout);
  if (digests.size === 0) return;
  const bundle = await assessBundleFolder(folder);
  if (bundle.kind !== 'present') return;
  for (const { file, problem } of bundle.files) {
    const blob = layout.blob(file.sha256);
    if (problem !== undefined || !digests.has(file.sha256) || (await exists(blob))) continue;
    if (await areCopiesFree(layout.operations)) return;
    await makeDirectoryDurably(dirname(blob));
    if (await renameIfThere(join(folder, file.path), blob)) await syncDirectory(dirname(blob));
  }
}
