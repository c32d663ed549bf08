import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import { type ModelName, modelKey } from '../../shared/model-name';
import { isErrorWithCode } from '../platform/system-error';
import { bundleFiles } from './bundle-index';
import { assessBundleFolder } from './bundle-state';
import type { CacheLayout } from './cache-layout';

/**
 * Other names of the files of a bundle, under which they are there when the bundle is gone: their blobs, and where a
 * file is no link to its blob (any more), what the other bundles have of it.
 */
export async function survivingNames(layout: CacheLayout, name: ModelName): Promise<readonly string[]> {
  const folder = layout.model(name);
  const bundle = await assessBundleFolder(folder);
  if (bundle.kind === 'absent') return [];
  if (bundle.kind === 'unreadable') return sharedWithUnreadable(layout, name);
  const blobs: string[] = [];
  const elsewhere = new Set<Digest>();
  for (const { file } of bundle.files) {
    const blob = layout.blob(file.sha256);
    const [own, stored] = await Promise.all([statOf(join(folder, file.path)), statOf(blob)]);
    if (!own || own.nlink < 2n) continue;
    if (stored?.ino === own.ino) blobs.push(blob);
    else elsewhere.add(file.sha256);
  }
  if (elsewhere.size === 0) return blobs;
  const others = (await bundleFiles(layout)).filter(
    ({ model, digest }) => elsewhere.has(digest) && modelKey(model) !== modelKey(name)
  );
  return [...blobs, ...others.map(({ path }) => path)];
}

/** Nobody can say which contents a bundle without a manifest has; whatever is the same file as one of them counts. */
async function sharedWithUnreadable(layout: CacheLayout, name: ModelName): Promise<readonly string[]> {
  const folder = layout.model(name);
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const own = await Promise.all(entries.map((entry) => statOf(join(folder, entry))));
  const inodes = new Set(own.flatMap((found) => (found?.isFile() && found.nlink > 1n ? [found.ino] : [])));
  if (inodes.size === 0) return [];
  const names = (await bundleFiles(layout)).flatMap(({ path, digest }) => [path, layout.blob(digest)]);
  const found = await Promise.all(names.map(statOf));
  return names.filter((_, index) => inodes.has(found[index]?.ino ?? -1n));
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
