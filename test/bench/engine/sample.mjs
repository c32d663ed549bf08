// What benchmarks of the engine work with: a cache with a sample model, an engine, and the product's own parts.

import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../scripts/processes.mjs';
import { expandSamples } from '../../../scripts/samples.mjs';

const require = createRequire(import.meta.url);

const CONTENTS = `
  export { generateImage } from './server/operations/generate/generate-image';
  export { pullModel } from './server/operations/pull/pull-model';
  export { modelFromManifest } from './server/operations/models/register-model';
  export { createServices } from './server/operations/services';
  export { systemClock } from './server/platform/clock';
  export { engineSettings } from './shared/engine-settings';`;

const MODEL = 'tiny-sd1';

/**
 * @typedef {object} Sample
 * @property {(engine: object) => any} openServices with the model installed, for settings of `engine`
 * @property {any} model
 * @property {any} generateImage the operation
 * @property {string} engine an engine that takes as long as the recorded one
 * @property {string} serverPath an sd-server that does
 * @property {string} words a file that the engine writes its latest arguments to, as JSON
 */

const silent = () => undefined;

/** @param {string} scratch @returns {Promise<Sample>} */
export async function prepareSample(scratch) {
  const words = path.join(scratch, 'words.json');
  const noteWords = `if (process.argv.includes('--output')) require('node:fs').writeFileSync(${JSON.stringify(words)}, JSON.stringify(process.argv.slice(2)));`;
  const engine = await writeProgram(scratch, 'sd-cli', noteWords);
  const serverPath = await writeProgram(scratch, 'sd-server');
  const { createServices, engineSettings, generateImage, modelFromManifest, pullModel, systemClock } =
    await loadParts(scratch);
  const openServices = (settings) =>
    createServices({
      engineSettings: engineSettings.parse(settings),
      root: path.join(scratch, 'home'),
      environment: { HF_HUB_CACHE: path.join(scratch, 'no-hub-cache'), PATH: process.env.PATH },
      sdCliPath: engine,
      policy: { allowInsecureHttp: false, allowPrivateHosts: false },
      isTrusted: () => true,
      workerScript: path.join(root, 'dist', 'worker.js'),
      clock: systemClock,
      log: { info: silent, warn: silent, error: silent }
    });
  const model = await modelFromManifest(await writeManifest(scratch));
  const services = openServices({});
  await pullModel(services, model, { signal: new AbortController().signal, onEvent: silent });
  await services.dispose();
  return { openServices, model, generateImage, engine, serverPath, words };
}

async function loadParts(folder) {
  const { build } = await import('esbuild');
  const outfile = path.join(folder, 'engine-parts.js');
  const stdin = { contents: CONTENTS, resolveDir: root, loader: 'ts' };
  const external = ['undici'];
  await build({
    stdin,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external
  });
  return require(outfile);
}

/** Nothing of our environment reaches an engine, so its pace is written into it. */
async function writeProgram(scratch, name, beforehand = '') {
  const program = path.join(scratch, name);
  const standIn = pathToFileURL(path.join(root, 'test', 'support', 'stand-in', `${name}.mjs`)).href;
  const lines = [
    `#!${process.execPath}`,
    "process.env.SD_CLI_STAND_IN_SPEED = '1';",
    beforehand,
    `import(${JSON.stringify(standIn)});`
  ];
  await writeFile(program, lines.join('\n'));
  await chmod(program, 0o755);
  return program;
}

/** The sample's manifest, with its files beside it. */
async function writeManifest(scratch) {
  const folder = path.join(scratch, 'source');
  const expanded = path.join(scratch, 'expanded');
  await expandSamples(expanded);
  await mkdir(folder);
  const manifest = JSON.parse(await readFile(path.join(root, 'samples', 'workspace', MODEL, 'manifest.json'), 'utf8'));
  for (const file of manifest.files) {
    await cp(path.join(expanded, file.filename), path.join(folder, file.filename));
    file.url = file.filename;
  }
  const target = path.join(folder, 'manifest.json');
  await writeFile(target, JSON.stringify(manifest));
  return target;
}
