// The sample models: compressed in the repository, expanded once into a home folder, and served from there.

import { createReadStream, createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { SAMPLE_PORT, sha256OfFile } from './model-server.mjs';

const samplesFolder = fileURLToPath(new URL('../samples', import.meta.url));
const compressedFolder = path.join(samplesFolder, 'files');

/** The workspace that holds the sample manifests, one folder for each model. */
const sampleWorkspace = path.join(samplesFolder, 'workspace');

const ORIGIN_IN_MANIFESTS = `http://127.0.0.1:${SAMPLE_PORT}`;

/**
 * @typedef {object} SampleFile
 * @property {string} filename
 * @property {string} sha256 of the expanded file
 * @property {number} size_bytes of the expanded file
 */

/**
 * @typedef {object} SampleModel
 * @property {string} name
 * @property {string} manifest path of its source manifest
 * @property {SampleFile[]} files
 */

/** @returns {Promise<SampleModel[]>} sorted by name */
export async function readSampleModels() {
  const names = await readdir(sampleWorkspace);
  return Promise.all(
    names.toSorted().map(async (folder) => {
      const manifest = path.join(sampleWorkspace, folder, 'manifest.json');
      const { name, files } = JSON.parse(await readFile(manifest, 'utf8'));
      return { name, manifest, files };
    })
  );
}

/**
 * Makes sure that a folder holds the expanded files of the sample models. Files already there are kept when their
 * digest is right and made again when it is not.
 * @param {string} folder
 * @returns {Promise<{ files: number, bytes: number, expanded: number }>} `expanded`: how many had to be made
 */
export async function expandSamples(folder) {
  await mkdir(folder, { recursive: true });
  const files = (await readSampleModels()).flatMap((model) => model.files);
  let expanded = 0;
  for (const { filename, sha256 } of files) {
    const target = path.join(folder, filename);
    if ((await digestIfThere(target)) === sha256) continue;
    await expand(path.join(compressedFolder, `${filename}.gz`), target, sha256);
    expanded += 1;
  }
  return { files: files.length, bytes: files.reduce((sum, file) => sum + file.size_bytes, 0), expanded };
}

async function digestIfThere(file) {
  try {
    return await sha256OfFile(file);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function expand(compressed, target, sha256) {
  const temporary = `${target}.${process.pid}.new`;
  try {
    await pipeline(createReadStream(compressed), createGunzip(), createWriteStream(temporary));
    const actual = await sha256OfFile(temporary);
    if (actual !== sha256) throw new Error(`${compressed} expands to ${actual}, its manifest says ${sha256}`);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * The manifests to give to the product: the repository's own, or copies that name the origin at which the files
 * are really served.
 * @param {string} origin of the model server
 * @param {string} folder where copies go
 * @returns {Promise<SampleModel[]>} with the paths of the manifests to use
 */
export async function sampleManifestsFor(origin, folder) {
  const models = await readSampleModels();
  if (origin === ORIGIN_IN_MANIFESTS) return models;
  return Promise.all(
    models.map(async ({ name, manifest, files }) => {
      const copy = path.join(folder, name, 'manifest.json');
      await mkdir(path.dirname(copy), { recursive: true });
      await writeFile(copy, (await readFile(manifest, 'utf8')).replaceAll(ORIGIN_IN_MANIFESTS, origin));
      return { name, manifest: copy, files };
    })
  );
}

/**
 * Copies the sample workspace to where a user may edit it. What is there already is kept, but its manifests are made
 * to name the origin at which the files are served now.
 * @param {string} origin of the model server
 * @param {string} folder of the copy
 */
export async function copySampleWorkspace(origin, folder) {
  await cp(sampleWorkspace, folder, { recursive: true, force: false });
  for (const { manifest, files } of await readSampleModels()) {
    const copy = path.join(folder, path.relative(sampleWorkspace, manifest));
    const text = await readFile(copy, 'utf8');
    const current = files.reduce((changed, { filename }) => withOrigin(changed, filename, origin), text);
    if (current !== text) await writeFile(copy, current);
  }
}

function withOrigin(text, filename, origin) {
  const address = new RegExp(`http://127\\.0\\.0\\.1:\\d+/${filename.replaceAll('.', '\\.')}(?=")`, 'g');
  return text.replaceAll(address, `${origin}/${filename}`);
}
