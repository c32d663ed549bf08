import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from '../../../server/registry/registry';
import { CacheLayout } from '../../../server/store/cache-layout';
import { sha256 } from '../sample-bytes';
import type { ModelFiles } from './pull-site';

/** The versions that a model may have, by the revision that their manifests tell. */
export type ModelVersions = ReadonlyMap<string, ModelFiles>;

/**
 * Which version of a model lies in its bundle, every byte of it checked.
 * @returns undefined when there is no bundle
 * @throws Error for anything that is not exactly one version
 */
export async function installedVersion(home: string, model: string, versions: ModelVersions) {
  const folder = join(new CacheLayout(home).models, model);
  const names = await readdir(folder).catch(nothing);
  if (!names) return undefined;
  const { revision } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const files = versions.get(revision);
  if (!files) throw new Error(`a bundle of revision ${revision}`);
  const found = names.filter((name) => name !== 'manifest.json').toSorted();
  if (found.join() !== [...files.keys()].toSorted().join()) throw new Error(`${revision} with ${found.join()}`);
  for (const [name, bytes] of files) {
    if (!bytes.equals(await readFile(join(folder, name)))) throw new Error(`${name} is not that of ${revision}`);
  }
  return revision;
}

/** @throws Error when a blob is not what its name says, or the registry cannot be read */
export async function expectSoundStore(home: string): Promise<void> {
  const layout = new CacheLayout(home);
  for (const entry of await readdir(join(home, 'blobs'), { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    if (sha256(await readFile(join(entry.parentPath, entry.name))) !== entry.name)
      throw new Error(`the blob ${entry.name} has another content`);
  }
  await new Registry(layout.registry).read();
}

/**
 * Everything in a cache, as relative paths. Registry generations, which are folders where a link failed, are left out:
 * how many edits it took is nobody's concern, and so is who proved what. Folders for what is under way count by what they hold.
 */
export async function cacheTree(home: string): Promise<string[]> {
  const paths = await readdir(home, { recursive: true });
  return paths
    .filter((path) => !/^registry\/\d+\.json(\/content)?$|^\.\w+$|^proofs\/[^/]+\.proofs$/.test(path))
    .toSorted();
}

/** Bytes of some contents that a cache holds, in its store or in the fullest partial, whatever the journals say. */
export async function heldBytes(home: string, files: ModelFiles): Promise<number> {
  const layout = new CacheLayout(home);
  const partials = await readdir(layout.partials).catch(() => []);
  const data = await Promise.all(partials.map((name) => readFile(join(layout.partials, name, 'data')).catch(nothing)));
  let held = 0;
  for (const bytes of files.values()) {
    const digest = digestOf(bytes);
    const isStored = await readFile(join(layout.root, 'blobs', 'sha256', digest.slice(0, 2), digest)).catch(nothing);
    held += isStored
      ? bytes.length
      : Math.max(0, ...data.map((partial) => (partial ? commonBytes(partial, bytes) : 0)));
  }
  return held;
}

const digests = new WeakMap<Buffer, string>();

/** Of a content that stays as it is, which is asked for again and again. */
function digestOf(bytes: Buffer): string {
  const digest = digests.get(bytes) ?? sha256(bytes);
  digests.set(bytes, digest);
  return digest;
}

const BLOCK = 4096;

function commonBytes(one: Buffer, other: Buffer): number {
  let common = 0;
  for (let start = 0; start < Math.min(one.length, other.length); start += BLOCK) {
    const block = one.subarray(start, start + BLOCK);
    if (block.equals(other.subarray(start, start + BLOCK))) common += block.length;
  }
  return common;
}

function nothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
