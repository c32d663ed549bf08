import { statSync } from 'node:fs';
import { readGguf } from './gguf.mjs';
import { closeModelFile, openModelFile, readAt } from './model-file.mjs';
import { readSafetensors } from './safetensors.mjs';
import { Stopped } from './stopped.mjs';

const LOADER = 'model_loader.cpp';

/** The parts of a model in the order in which they are opened: where their names go, and what their lines say. */
const PARTS = [
  { part: 'model', noun: 'model', prefix: '', source: 713 },
  { part: 'diffusionModel', noun: 'diffusion model', prefix: 'model.diffusion_model.', source: 720 },
  { part: 'clipL', noun: 'clip_l', prefix: 'text_encoders.clip_l.transformer.', source: 741 },
  { part: 'clipG', noun: 'clip_g', prefix: 'text_encoders.clip_g.transformer.', source: 748 },
  { part: 'vae', noun: 'vae', prefix: 'first_stage_model.', source: 791 },
  { part: 'taesd', noun: 'tae', prefix: 'tae.', source: 799 }
];

/**
 * Opens every file of the request, with the recorded lines, and returns the tensors by name and which parts loaded.
 * A part that cannot be read is reported and left out, as recorded; a control net that cannot be read stops the run.
 */
export async function loadModels(console, clock, models) {
  const tensors = new Map();
  const loaded = new Set();
  for (const { part, noun, prefix, source } of PARTS) {
    const path = models[part];
    if (path === '') continue;
    await clock.spend(0.001);
    await console.info(`stable-diffusion.cpp:${source}`, `loading ${noun} from '${path}'`);
    const found = await readModelFile(console, clock, path);
    if (found !== undefined) {
      loaded.add(part);
      for (const tensor of found) addTensor(tensors, prefix, { ...tensor, path });
    } else if (part === 'model') {
      await console.error('stable-diffusion.cpp:715', `init model loader from file failed: '${path}'`);
    } else {
      await console.warn(`stable-diffusion.cpp:${source + 2}`, `loading ${noun} from '${path}' failed`);
    }
  }
  await refuseControlNet(console, clock, models.controlNet);
  return { tensors, loaded };
}

/** Reads the header of one file with the recorded lines; undefined when it is no model the program can read. */
export async function readModelFile(console, clock, path) {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return readFolder(console, path);
  const file = openModelFile(path);
  if (file === undefined) {
    await console.warn(`${LOADER}:254`, `file ${path} not found`);
    return undefined;
  }
  try {
    await clock.spend(0.01);
    return await readByFormat(console, file);
  } finally {
    closeModelFile(file);
  }
}

async function readByFormat(console, file) {
  const gguf = readGguf(file);
  if (gguf !== undefined) return reportGguf(console, file.path, gguf);
  const safetensors = readSafetensors(file);
  if (safetensors !== undefined) {
    await console.info(`${LOADER}:242`, `load ${file.path} using safetensors format`);
    if (safetensors.outOfBounds === undefined) return safetensors.tensors;
    await console.error(`${LOADER}:321`, `data offsets out of bounds for tensor '${safetensors.outOfBounds}'`);
    return undefined;
  }
  if (readAt(file, 0, 4).toString('latin1') === 'PK\u0003\u0004') {
    await console.info(`${LOADER}:245`, `load ${file.path} using torch zip format`);
    throw new Stopped(`cannot read torch zip checkpoints such as ${file.path}`);
  }
  await console.warn(`${LOADER}:252`, `unknown format ${file.path}`);
  return undefined;
}

async function reportGguf(console, path, { tensors, errors }) {
  await console.info(`${LOADER}:236`, `load ${path} using gguf format`);
  for (const text of errors) await console.error('ggml_extend.hpp:72', text);
  if (tensors !== undefined) return tensors;
  await console.error('gguf_reader_ext.h:218', 'read tensor name failed');
  await console.error(`${LOADER}:293`, `failed to open '${path}' with GGUFReader`);
  return undefined;
}

async function readFolder(console, path) {
  await console.info(`${LOADER}:233`, `load ${path} using diffusers format`);
  const unet = `${path}/unet/diffusion_pytorch_model.safetensors`;
  if (statSync(unet, { throwIfNoEntry: false }) !== undefined) {
    throw new Stopped(`cannot read diffusers folders such as ${path}`);
  }
  await console.error(`${LOADER}:321`, `failed to open '${unet}'`);
  return undefined;
}

async function refuseControlNet(console, clock, path) {
  if (path === '') return;
  if ((await readModelFile(console, clock, path)) !== undefined) {
    throw new Stopped('has no recording of a run with a control net');
  }
  await console.error('stable-diffusion.cpp:835', `init control net model loader from file failed: '${path}'`);
  await console.info('main.cpp:910', 'new_sd_ctx_t failed');
  throw new Stopped();
}

function addTensor(tensors, prefix, tensor) {
  const name = tensor.name.startsWith(prefix) ? tensor.name : prefix + tensor.name;
  tensors.set(name, { ...tensor, name });
}
