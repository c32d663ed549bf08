import { bytesOf, TYPE_ORDER } from './gguf.mjs';
import { tensorNames } from './recorded.mjs';
import { Stopped } from './stopped.mjs';

const UNET = 'model.diffusion_model.';
const VAE = 'first_stage_model.';
const TAE = 'tae.';
const CONDITIONER = ['cond_stage_model.', 'conditioner.', 'text_encoders.'];
const MEBIBYTE = 2 ** 20;
const INPAINT_CHANNELS = 9;

/** The recorded versions, with the network whose tensor names they need. */
const NETWORKS = {
  'SD 1.x': 'unet-sd1',
  'SD 1.x Inpaint': 'unet-sd1',
  'SD 1.x Tiny UNet': 'unet-sd1-tiny',
  'SDXS (512-DS)': 'unet-sdxs'
};

/** Names that only families without a recording have: SDXL's second text encoder, and transformers. */
const OTHER_FAMILIES = /^conditioner\.embedders\.1\.|\.(?:double_blocks|joint_blocks|transformer_blocks\.0\.img_mod)\./;

/**
 * Tells the version from the tensors alone, as the recorded program does: undefined when it knows none. Throws
 * `Stopped` for a family that no recording shows.
 */
export function detectVersion(tensors) {
  for (const name of tensors.keys()) {
    if (OTHER_FAMILIES.test(name)) throw new Stopped(`does not replay the family that has the tensor ${name}`);
  }
  const embedding = tensors.get('cond_stage_model.transformer.text_model.embeddings.token_embedding.weight');
  if (embedding === undefined || embedding.shape.at(-1) !== 768) return undefined;
  const has = (block) => [...tensors.keys()].some((name) => name.startsWith(`${UNET}${block}`));
  if (tensors.get(`${UNET}input_blocks.0.0.weight`)?.shape[1] === INPAINT_CHANNELS) return 'SD 1.x Inpaint';
  if (has('middle_block.1.')) return 'SD 1.x';
  return has('output_blocks.7.1.') ? 'SD 1.x Tiny UNet' : 'SDXS (512-DS)';
}

/**
 * Sorts the tensors into the parts of the network. With the tiny decoder inside the file (SDXS), its names move from
 * the VAE to the tiny autoencoder.
 */
export function networkOf(tensors, version, { taesdLoaded, taesdForPreviewOnly }) {
  const useTae = version === 'SDXS (512-DS)' || (taesdLoaded && !taesdForPreviewOnly);
  const all = [...tensors.values()];
  if (version === 'SDXS (512-DS)') {
    for (const tensor of all)
      tensor.name = tensor.name.replace(/^first_stage_model\.(?=(?:de|en)coder\.layers\.)/, TAE);
  }
  const under = (...prefixes) => all.filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)));
  const tae = under(TAE);
  return {
    version,
    useTae,
    previewTae: taesdLoaded && taesdForPreviewOnly,
    all,
    conditioner: under(...CONDITIONER),
    unet: under(UNET),
    vae: under(VAE),
    decoder: useTae ? tae.filter(isDecoder) : under(VAE).filter(isDecoder),
    encoder: useTae ? tae.filter((tensor) => !isDecoder(tensor)) : under(VAE).filter((tensor) => !isDecoder(tensor)),
    taeDecoder: tae.filter(isDecoder)
  };
}

/** Recorded complaints, as `[part, tensor name]`, about every tensor the network needs and the files do not hold. */
export function missingTensors(network) {
  const present = new Set(network.all.map(({ name }) => name));
  const absent = (part, list) =>
    tensorNames(list)
      .filter((name) => !present.has(name))
      .map((name) => [part, name]);
  return [...absent('Diffusion model', NETWORKS[network.version]), ...absent('VAE', network.useTae ? 'tae' : 'vae-kl')];
}

/** The four lines `Weight type stat`: source line, label and counts. */
export function weightTypeLines(network) {
  return [
    ['959', 'Weight type stat:', network.all],
    ['960', 'Conditioner weight type stat:', network.conditioner],
    ['961', 'Diffusion model weight type stat:', network.unet],
    ['962', 'VAE weight type stat:', network.vae]
  ].map(([source, label, tensors]) => [source, `${label.padEnd(34)}${countTypes(tensors)}`]);
}

/** The recorded line on memory, in MiB; sizes follow from the tensors. */
export function memoryLine(network) {
  const text = memoryOf(network.conditioner);
  const unet = memoryOf(network.unet);
  const vae = memoryOf([...network.encoder, ...network.decoder, ...(network.previewTae ? network.taeDecoder : [])]);
  const total = (text + unet + vae).toFixed(2);
  const sizes = { text_encoders: text, diffusion_model: unet, vae };
  const parts = Object.entries(sizes).map(([name, size]) => `${name} ${size.toFixed(2)}MB(RAM)`);
  const none = 'controlnet 0.00MB(N/A), extensions 0.00MB(N/A)';
  return `total params memory size = ${total}MB (VRAM 0.00MB, RAM ${total}MB): ${parts.join(', ')}, ${none}`;
}

/** Memory of the tensors in MiB: one-dimensional ones, positions and 1-bit embeddings are kept as 32-bit floats. */
function memoryOf(tensors) {
  const bytes = tensors.map(({ name, type, shape }) => {
    const elements = shape.reduce((product, extent) => product * extent, 1);
    const wide =
      shape.length <= 1 ||
      name.endsWith('position_embedding.weight') ||
      (type === 'q1_0' && name.endsWith('token_embedding.weight'));
    return bytesOf(wide ? 'f32' : type, elements);
  });
  return bytes.reduce((sum, size) => sum + size, 0) / MEBIBYTE;
}

function isDecoder({ name }) {
  return /\.(?:decoder|post_quant_conv)\./.test(name);
}

function countTypes(tensors) {
  const counts = new Map();
  for (const { type } of tensors) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .toSorted(([left], [right]) => TYPE_ORDER.indexOf(left) - TYPE_ORDER.indexOf(right))
    .map(([type, count]) => `${type.padStart(8)}: ${String(count).padEnd(5)}`)
    .join('|');
}
