import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BundleContent } from '../../server/store/bundle-store';
import type { CacheLayout } from '../../server/store/cache-layout';
import { parseDigest } from '../../shared/digest';
import type { InstalledManifest } from '../../shared/manifest/installed-manifest';
import { parseModelName } from '../../shared/model-name';

/** The model of the samples. */
export const SAMPLE = modelNamed('sample-model');

/** What the model of the samples is renamed to. */
export const RENAMED_SAMPLE = modelNamed('renamed-model');

function modelNamed(text: string) {
  const name = parseModelName(text);
  if (!name) throw new Error(`${text} is no model name`);
  return name;
}

/** The files of a version: one is the same in all, one differs, and every other version has one more. */
export function sampleFiles(version: number): ReadonlyMap<string, Buffer> {
  const files = new Map([
    ['shared.gguf', Buffer.alloc(3000, 's')],
    ['weights.gguf', Buffer.alloc(2000 + (version % 5), `version ${version} `)]
  ]);
  if (version % 2 === 1) files.set('vae.safetensors', Buffer.from(`vae ${version}`));
  return files;
}

/** A version as it is to be installed. */
export interface SampleBundle {
  readonly contents: readonly BundleContent[];
  readonly manifest: InstalledManifest;
}

/** What installing a version needs; its blobs are not written. */
export function sampleBundle(layout: CacheLayout, version: number): SampleBundle {
  const contents = [...sampleFiles(version)].map(([path, bytes]) => {
    const digest = digestOf(bytes);
    return { path, blob: { path: layout.blob(digest), digest, bytes: bytes.length } };
  });
  const files = contents.map(({ path, blob }) => ({ path, sha256: blob.digest, size_bytes: blob.bytes }));
  return {
    contents,
    manifest: {
      name: SAMPLE,
      source: '',
      revision: String(version),
      task: '',
      engine: '',
      dimensions: 0,
      installed_at_unix_ms: 1000 + version,
      total_size_bytes: files.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
      files
    }
  };
}

export function digestOf(bytes: Uint8Array) {
  const digest = parseDigest(createHash('sha256').update(bytes).digest('hex'));
  if (!digest) throw new Error('a digest is one');
  return digest;
}

/** Puts the contents of a version into the store. */
export async function writeBlobs(layout: CacheLayout, version: number): Promise<void> {
  for (const bytes of sampleFiles(version).values()) {
    const path = layout.blob(digestOf(bytes));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EACCES') throw error;
    });
    await chmod(path, 0o444);
  }
}

/**
 * The version that lies in a bundle's folder, every byte of it checked.
 * @returns undefined when there is no folder
 * @throws Error for anything that is not exactly one version
 */
export async function versionIn(folder: string): Promise<number | undefined> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!names) return undefined;
  const manifest: { revision: string } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const version = Number(manifest.revision);
  const expected = sampleFiles(version);
  const found = names.filter((name) => name !== 'manifest.json').toSorted();
  if (found.join() !== [...expected.keys()].toSorted().join())
    throw new Error(`version ${version} with ${found.join()}`);
  for (const [name, bytes] of expected) {
    if (!bytes.equals(await readFile(join(folder, name)))) throw new Error(`${name} is not that of version ${version}`);
  }
  return version;
}

/** Everything that operations and recovery must not leave: entries beside the models, the blobs and the registry. */
export async function leftovers(layout: CacheLayout): Promise<string[]> {
  const folders = [layout.staging, layout.purge, layout.operations, layout.partials];
  const entries = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  return entries.flat();
}

/** Everything about a tree that a change would show in: type, mode, size, times and inode of each entry. */
export async function snapshot(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  const lines = ['', ...entries].map(async (entry) => {
    const { mode, size, mtimeNs, ctimeNs, ino } = await lstat(join(folder, entry), { bigint: true });
    return [entry, mode, size, mtimeNs, ctimeNs, ino].join(' ');
  });
  return (await Promise.all(lines)).toSorted();
}
