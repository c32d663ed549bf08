// Caches that are written without a pull: the benchmarks are about what is there.

import { createHash } from 'node:crypto';
import { mkdir, open, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * @typedef {object} WrittenModel
 * @property {string} name
 * @property {WrittenFile[]} files
 */

/**
 * @typedef {object} WrittenFile
 * @property {string} path
 * @property {number} bytes
 * @property {string} [sha256] of what is written there; without it a digest is made up
 */

/**
 * Writes installed models: bundles with their manifests, and one generation of the registry with their stamps. Files
 * are sparse, so that a cache of any size fits everywhere; whoever wants content writes it there afterwards.
 * @param {string} home
 * @param {WrittenModel[]} models
 * @param {(manifest: object) => string} contentKey the product's, for the stamps
 */
export async function writeCache(home, models, contentKey) {
  const entries = [];
  for (const { name, files } of models) {
    const folder = bundleFolder(home, name);
    await mkdir(folder, { recursive: true });
    const listed = files.map(({ path: file, bytes, sha256 = madeUp(`${name}/${file}`) }) => ({
      path: file,
      sha256,
      size_bytes: bytes,
      role: 'model',
      digest_origin: 'declared'
    }));
    for (const { path: file, size_bytes } of listed) await writeSparse(path.join(folder, file), size_bytes);
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const facts = { name, source: '', revision: '', task: '', engine: '', dimensions: 0 };
    const manifest = { ...facts, installed_at_unix_ms: 1, total_size_bytes: total, files: listed };
    await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    entries.push(registryEntry(folder, name, listed, total, contentKey));
  }
  const state = {
    schema: 1,
    id: 'bench',
    parent: '',
    models: entries.toSorted((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1))
  };
  await mkdir(path.join(home, 'registry'), { recursive: true });
  await writeFile(path.join(home, 'registry', '1.json'), `${JSON.stringify(state, null, 2)}\n`);
}

export const bundleFolder = (home, name) => path.join(home, 'models', name);

function registryEntry(folder, name, listed, total, contentKey) {
  const manifest = {
    name,
    files: listed.map(({ path: filename, sha256, size_bytes, role }) => ({
      role,
      url: `https://example.org/${filename}`,
      filename,
      sha256,
      size_bytes
    }))
  };
  const content_key = contentKey(manifest);
  const installed = { cache_dir: folder, installed_at_unix_ms: 1, cache_size_bytes: total, content_key };
  return { manifest, updated_at_unix_ms: 1, installed };
}

function madeUp(text) {
  return createHash('sha256').update(text).digest('hex');
}

async function writeSparse(file, bytes) {
  await (await open(file, 'wx')).close();
  await truncate(file, bytes);
}
