import { loadModels } from './model-loader.mjs';
import { detectVersion, memoryLine, missingTensors, networkOf, weightTypeLines } from './network.mjs';
import { Stopped } from './stopped.mjs';

const CONTEXT = 'stable-diffusion.cpp';

/**
 * Opens the models, tells their version and checks that every needed tensor is there, with the recorded lines.
 * Resolves to the network; throws `Stopped` where the recorded program gives up.
 */
export async function openContext(console, clock, request) {
  const { tensors, loaded } = await loadModels(console, clock, request.models);
  const version = detectVersion(tensors);
  if (version === undefined) {
    await console.error(`${CONTEXT}:905`, `get sd version from file failed: '${request.models.model}'`);
    throw await contextFailed(console);
  }
  await console.info(`${CONTEXT}:908`, `Version: ${version} `);
  await checkBackend(console, request.backend);
  const network = networkOf(tensors, version, {
    taesdLoaded: loaded.has('taesd'),
    taesdForPreviewOnly: request.taesdForPreviewOnly
  });
  for (const [source, text] of weightTypeLines(network)) await console.info(`${CONTEXT}:${source}`, text);
  await describeDecoder(console, network);
  await validate(console, network);
  await clock.spend(0.05);
  await console.info(`${CONTEXT}:1745`, memoryLine(network));
  await console.info(`${CONTEXT}:1849`, 'running in eps-prediction mode');
  return network;
}

async function checkBackend(console, backend) {
  for (const assignment of backend.split(',').filter((text) => text !== '')) {
    const name = assignment.split('=').at(-1);
    if (name.toLowerCase() === 'cpu') continue;
    await console.error(`${CONTEXT}:630`, `backend config failed: backend '${name}' was not found`);
    throw await contextFailed(console);
  }
}

async function describeDecoder(console, network) {
  if (network.useTae) {
    await console.info(`${CONTEXT}:1502`, 'using TAE for encoding / decoding');
    return;
  }
  await console.info(`${CONTEXT}:1512`, 'using VAE for encoding / decoding');
  const last = network.vae.find(({ name }) => name === 'first_stage_model.decoder.conv_out.weight');
  if (last !== undefined) await console.info('auto_encoder_kl.hpp:527', `vae decoder: ch = ${last.shape[1]}`);
  if (network.previewTae) await console.info(`${CONTEXT}:1522`, 'using TAE for preview');
}

async function validate(console, network) {
  const missing = missingTensors(network);
  for (const [part, name] of missing) {
    await console.error('model_manager.cpp:640', `${part} tensor '${name}' not in model metadata`);
  }
  if (missing.length === 0) return;
  await console.error(`${CONTEXT}:1693`, 'model metadata validation failed');
  throw await contextFailed(console);
}

async function contextFailed(console) {
  await console.info('main.cpp:910', 'new_sd_ctx_t failed');
  return new Stopped();
}
