// The product's side of the pull benchmarks: its command line, and manifests for it.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../../../scripts/processes.mjs';

export const FILENAME = 'bench.bin';

const cli = path.join(root, 'dist', 'cli.js');

/** Arguments for Node that pull a manifest into a cache root. */
export const pullArguments = (home, manifest) => [cli, '--home', home, '--json', 'pull', manifest];

/**
 * @typedef {object} BenchFile
 * @property {string} url
 * @property {number} bytes
 * @property {string} sha256
 */

/**
 * Writes a manifest for one file.
 * @param {string} folder
 * @param {BenchFile} file
 * @returns {Promise<string>} its path
 */
export async function writeManifest(folder, { url, bytes, sha256 }) {
  const file = { role: 'model', url, filename: FILENAME, sha256, size_bytes: bytes };
  const manifest = path.join(folder, `${new URL(url).port}.manifest.json`);
  await writeFile(manifest, JSON.stringify({ name: 'bench', files: [file] }));
  return manifest;
}
