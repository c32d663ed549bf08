import { RECORDED_SECONDS } from './clock.mjs';
import { stepRate } from './console.mjs';
import { beforeLoading, dieBy, whileSampling } from './faults.mjs';
import { loadTensors } from './loading.mjs';
import { writePreview } from './preview.mjs';
import { alignedSize } from './request.mjs';
import { Stopped } from './stopped.mjs';

const MAIN = 'stable-diffusion.cpp';
const PIXELS_OF_64 = 64 * 64;

/** Names that the recordings show for samplers; others are shown by their option value. */
const SAMPLER_NAMES = { euler_a: 'Euler A', heun: 'Heun', dpm2: 'DPM2', res_2s: 'Res 2s' };

/** Pictures of this many pixels ended the recorded program before sampling. */
const BAD_ALLOC_PIXELS = 16384 ** 2;

/** The attention of a picture needs `32 * (pixels / 64)²` bytes and some; recorded at 4096x4096. */
const ATTENTION_SURPLUS_BYTES = 71_732_000;
const MEMORY_BYTES = 512 * 2 ** 30;

/** One image run after the models are open: encode, sample, decode, with the recorded lines. */
export class Generation {
  /** `loaded` holds the lists of tensors that are in memory from runs before: a server keeps them. */
  constructor({ console, clock, request, network, loras, faults, loaded = new Set() }) {
    Object.assign(this, { console, clock, request, network, loras, faults, loaded });
    this.size = alignedSize(request);
    this.area = (this.size.width * this.size.height) / PIXELS_OF_64;
    this.steps = stepsOf(request);
    this.decoderLoaded = false;
  }

  /** Runs every phase; resolves to the size of the pictures. Throws `Stopped` when sampling fails. */
  async run() {
    const start = this.clock.now;
    await this.#announce();
    await beforeLoading(this.console, this.faults);
    if (this.request.initImage !== undefined) await this.#encodeImage();
    await this.#encodePrompt();
    await this.#sampleAll();
    if (this.request.hires !== undefined) await this.#enlarge();
    await this.#decodeAll();
    await this.loras.report();
    await this.#say('5861', `generate_image completed in ${this.clock.since(start)}`);
    return this.size;
  }

  #say(source, text) {
    return this.console.info(`${MAIN}:${source}`, text);
  }

  async #announce() {
    const { asked, width, height } = this.size;
    if (asked.width !== width || asked.height !== height) {
      const sizes = `${asked.width}x${asked.height} to ${width}x${height}`;
      await this.console.warn(`${MAIN}:4154`, `align generation request up ${sizes} (multiple=64)`);
    }
    await this.#say('5628', `generate_image ${width}x${height}`);
    await this.loras.apply();
    await this.console.info('denoiser.hpp:1051', `get_sigmas with ${this.request.scheduler} scheduler`);
    const sampler = SAMPLER_NAMES[this.request.sampler] ?? this.request.sampler;
    await this.#say('4380', `sampling using ${sampler} method`);
    if (width * height >= BAD_ALLOC_PIXELS) {
      await this.console.write('stderr', "terminate called after throwing an instance of 'std::bad_alloc'\n");
      await this.console.write('stderr', '  what():  std::bad_alloc\n');
      await dieBy(this.console, 'SIGABRT');
    }
    if (this.request.initImage !== undefined) await this.#announceInitImage();
    else if (this.network.version === 'SD 1.x Inpaint') await this.#warnOfInpainting();
  }

  async #announceInitImage() {
    await this.#say('4925', 'IMG2IMG');
    const target = Math.floor(Math.fround(this.request.steps * Math.fround(this.request.strength)));
    if (target < this.request.steps) await this.#say('4969', `target t_enc is ${target} steps`);
    const inpaints = this.network.version === 'SD 1.x Inpaint';
    if (inpaints && this.request.mask === undefined) await this.#warnOfInpainting();
  }

  #warnOfInpainting() {
    const text = 'inpainting model requires both an init image and a mask image.';
    return this.console.warn(`${MAIN}:4997`, text);
  }

  async #encodeImage() {
    const start = this.clock.now;
    await this.#load(this.network.encoder, 'vae');
    await this.clock.spend(RECORDED_SECONDS.encodeImagePer64 * this.area);
    await this.#say('5186', `encode_first_stage completed, taking ${this.clock.since(start)}`);
  }

  async #encodePrompt() {
    const start = this.clock.now;
    await this.#load(this.network.conditioner, 'conditioner');
    await this.clock.spend(RECORDED_SECONDS.encodePrompt);
    await this.#say('5296', `get_learned_condition completed, taking ${this.clock.since(start)}`);
  }

  async #load(tensors, part) {
    if (await this.#loadOnce(tensors)) return this.loras.merge(part);
    await this.console.error('main.cpp:952', 'generate failed');
    throw new Stopped();
  }

  async #loadOnce(tensors) {
    if (this.loaded.has(tensors)) return true;
    const whole = await loadTensors(this.console, this.clock, tensors);
    if (whole) this.loaded.add(tensors);
    return whole;
  }

  async #sampleAll() {
    const { batch, seed } = this.request;
    const start = this.clock.now;
    for (let index = 0; index < batch; index += 1) {
      const imageStart = this.clock.now;
      await this.#say('5679', `generating image: ${index + 1}/${batch} - seed ${seed + index}`);
      if (index === 0) await this.#loadUnet(imageStart);
      await this.#drawSteps(this.steps, index === 0, seed + index);
      await this.#say('5711', `sampling completed, taking ${this.clock.since(imageStart)}`);
    }
    await this.#say('5723', `generating ${batch} latent images completed, taking ${this.clock.since(start)}`);
  }

  async #loadUnet(start) {
    if (!(await this.#loadOnce(this.network.unet))) {
      await this.console.error('ggml_extend.hpp:1989', 'unet prepare graph weights failed');
      throw await this.#samplingFailed(start);
    }
    await this.loras.merge('unet');
    const attention = 32 * (this.area * 64) ** 2 + ATTENTION_SURPLUS_BYTES;
    if (attention < MEMORY_BYTES) return;
    const size = `${(attention / 2 ** 20).toFixed(2)} MB`;
    const lines = [
      ['72', `ggml_aligned_malloc: insufficient memory (attempted to allocate ${size})`],
      ['72', `ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size ${attention}`],
      ['72', `ggml_gallocr_reserve_n_impl: failed to allocate CPU buffer of size ${attention}`],
      ['2234', 'unet: failed to allocate the compute buffer'],
      ['2803', 'unet alloc compute buffer failed']
    ];
    for (const [source, text] of lines) await this.console.error(`ggml_extend.hpp:${source}`, text);
    throw await this.#samplingFailed(start);
  }

  async #samplingFailed(start) {
    const failed = `sampling for image 1/${this.request.batch} failed after ${this.clock.since(start)}`;
    await this.console.error(`${MAIN}:2790`, 'diffusion model compute failed');
    await this.console.error(`${MAIN}:2901`, 'Diffusion model sampling failed');
    await this.console.error(`${MAIN}:5716`, failed);
    await this.console.error('main.cpp:952', 'generate failed');
    return new Stopped();
  }

  async #drawSteps(steps, first, seed) {
    const seconds = RECORDED_SECONDS.stepPer64 * this.area;
    for (let step = 1; step <= steps; step += 1) {
      await this.clock.spend(seconds);
      if (step === 1 && first) await this.#loadForPreview();
      await writePreview(this.console, this.request.preview, this.size, seed, step / steps);
      const taken = step === 1 && first ? seconds + RECORDED_SECONDS.loadTick : seconds;
      await this.console.bar('step', step, steps, stepRate(taken));
      if (step === 1) await whileSampling(this.console, this.faults);
    }
  }

  async #loadForPreview() {
    const { method } = this.request.preview;
    if (method !== 'tae' && method !== 'vae') return;
    if (this.network.previewTae && method === 'tae') await this.#load(this.network.taeDecoder, 'vae');
    else await this.#loadDecoder();
  }

  async #enlarge() {
    const start = this.clock.now;
    const { width, height } = this.size;
    const { hires } = this.request;
    const target = {
      width: hires.width > 0 ? hires.width : Math.round(width * hires.scale),
      height: hires.height > 0 ? hires.height : Math.round(height * hires.scale)
    };
    const steps = hires.steps > 0 ? hires.steps : this.request.steps;
    await this.#say('5736', `hires fix: upscaling to ${target.width}x${target.height}`);
    await this.console.info('denoiser.hpp:1051', `get_sigmas with ${this.request.scheduler} scheduler`);
    const plan = `scheduler_steps=${steps}, denoising_strength=${hires.strength.toFixed(2)}`;
    await this.#say('5768', `hires fix: ${plan}, sigma_sched_size=${steps + 1}`);
    for (let index = 0; index < this.request.batch; index += 1) {
      const imageStart = this.clock.now;
      const latents = `${width / 8}x${height / 8} -> ${target.width / 8}x${target.height / 8}`;
      await this.#say('5472', `hires ${hires.upscaler} upscale ${latents}`);
      this.area = (target.width * target.height) / PIXELS_OF_64;
      await this.#drawSteps(steps, false, this.request.seed + index);
      const which = `${index + 1}/${this.request.batch}`;
      await this.#say('5832', `hires sampling ${which} completed, taking ${this.clock.since(imageStart)}`);
    }
    await this.#say('5847', `hires fix completed, taking ${this.clock.since(start)}`);
    this.size = { ...this.size, ...target };
  }

  async #decodeAll() {
    const { batch, tiling } = this.request;
    const start = this.clock.now;
    await this.#say('5321', `decoding ${batch} latents`);
    const pace = this.network.useTae ? RECORDED_SECONDS.decodeTinyPer64 : RECORDED_SECONDS.decodePer64;
    for (let index = 0; index < batch; index += 1) {
      const imageStart = this.clock.now;
      await this.#loadDecoder();
      const tiles = tiling ? tilesOf(this.size) : 0;
      for (let tile = 1; tile <= tiles; tile += 1) await this.console.bar('step', tile, tiles, stepRate(pace));
      await this.clock.spend(pace * this.area);
      await this.#say('5387', `latent ${index + 1} decoded, taking ${this.clock.since(imageStart)}`);
    }
    await this.#say('5391', `decode_first_stage completed, taking ${this.clock.since(start)}`);
  }

  async #loadDecoder() {
    if (this.decoderLoaded) return;
    this.decoderLoaded = true;
    await this.#load(this.network.decoder, 'vae');
  }
}

/** Steps really run: all of them without an init image, else `floor(steps * strength) + 1`, never more than asked. */
function stepsOf({ steps, strength, initImage }) {
  if (initImage === undefined) return steps;
  return Math.min(steps, Math.floor(Math.fround(steps * Math.fround(strength))) + 1);
}

/** Tiles of 32x32 latents that overlap by half; recorded for one tile only. */
function tilesOf({ width, height }) {
  return tilesAlong(width) * tilesAlong(height);
}

function tilesAlong(edge) {
  return Math.max(1, Math.ceil((edge / 8 - 32) / 16) + 1);
}
