// Takes a sample model through the modes of the command line: from an image, with a mask, in a batch, with a LoRA,
// enlarged.

import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { commandLine, StepError } from './sample-run.mjs';

/** Headers of small models; the rest of each file is a hole. */
const headersFolder = fileURLToPath(new URL('../test/fixtures/sd-cli/models', import.meta.url));

const SMALL = ['--prompt=a lighthouse', '--width=64', '--height=64', '--steps=2'];

/**
 * @typedef {object} Modes
 * @property {string} home cache root
 * @property {string} engine path of sd-cli
 * @property {string} model name of an installed model
 * @property {string} image absolute path of an image to start from
 * @property {(line: string) => void} say takes a line for each step
 */

/**
 * Runs each mode once, and checks that the images came that were asked for.
 * @param {Modes} modes
 * @throws {StepError}
 */
export async function tryModes({ home, engine, model, image, say }) {
  const runCli = commandLine({ home, env: { ...process.env, DIFFUSION_DOCK_SD_CLI: engine }, say });
  const folder = path.join(home, 'modes');
  await mkdir(folder);
  await writeModel('lora/tinylora.safetensors', path.join(folder, 'tinylora.safetensors'));
  const lora = ['--prompt=a lighthouse <lora:tinylora:0.8>', '--lora-folder', folder];
  const modes = [
    { mode: 'image to image', expected: 1, options: ['--init-image', image, '--strength=0.5'] },
    { mode: 'inpaint', expected: 1, options: ['--init-image', image, '--mask', image] },
    { mode: 'batch', expected: 3, options: ['--images=3'] },
    { mode: 'LoRA', expected: 1, options: lora },
    { mode: 'second pass', expected: 1, options: ['--hires-scale=2', '--hires-steps=2'] }
  ];
  for (const { mode, expected, options } of modes) {
    const { images } = await runCli(mode, ['--json', 'generate', model, ...SMALL, ...options]);
    if (images.length !== expected) throw new StepError(`${mode}: ${images.length} images instead of ${expected}`);
  }
  await tryUpscaling(runCli, folder, image);
}

async function tryUpscaling(runCli, folder, image) {
  const filename = 'esrgan-x2.safetensors';
  await writeModel(filename, path.join(folder, filename));
  const manifest = path.join(folder, 'upscaler.manifest.json');
  const files = [{ role: 'upscale_model', url: filename, filename }];
  await writeFile(manifest, JSON.stringify({ name: 'engine-test-upscaler', task: 'upscale', files }));
  await runCli('pull upscaler', ['pull', manifest]);
  const { images } = await runCli('upscale', ['--json', 'upscale', image, '--model', 'engine-test-upscaler']);
  if (images.length !== 1) throw new StepError(`upscale: ${images.length} images instead of one`);
}

async function writeModel(name, target) {
  const headers = JSON.parse(await readFile(path.join(headersFolder, 'manifest.json'), 'utf8'));
  const { header, bytes } = headers[name];
  await writeFile(target, gunzipSync(await readFile(path.join(headersFolder, header))));
  await truncate(target, bytes);
}
