import { loadTensors } from './loading.mjs';
import { readModelFile } from './model-loader.mjs';

/** The one target that the recordings show as unknown to the program: the last convolution by its diffusers name. */
const UNUSED_TARGET = 'conv_out';
const UNUSED_ORDER = ['lora_up.weight', 'lora_down.weight', 'alpha'];

/** Says which `<lora:…>` tags name no file, as recorded: a warning, and the run goes on. */
export async function warnOfMissingLoras(console, loras) {
  for (const { path, base } of loras) {
    if (path === undefined) await console.warn('common.cpp:2179', `can not found lora ${base}`);
  }
}

/**
 * The LoRAs of a run. Quantised models have them applied at run time, in three passes at the start and a report at the
 * end; other models have them merged whenever a part is loaded.
 */
export class Loras {
  constructor(console, clock, loras, quantised) {
    this.console = console;
    this.clock = clock;
    this.loras = loras.filter(({ path }) => path !== undefined);
    this.quantised = quantised;
  }

  /** The lines right after the size of the picture is known. */
  async apply() {
    if (this.loras.length === 0) return;
    const start = this.clock.now;
    if (this.quantised) {
      await this.console.info('stable-diffusion.cpp:2037', 'apply lora at runtime');
      for (const part of ['conditioner', 'unet', 'vae']) {
        for (const lora of this.loras) await this.#read(lora, part === 'unet' ? 2 : 1);
      }
    }
    const taking = this.clock.since(start);
    await this.console.info('stable-diffusion.cpp:2135', `apply_loras completed, taking ${taking}`);
  }

  /** The lines after the weights of `part` were read: `conditioner`, `unet` or `vae`. */
  async merge(part) {
    if (this.quantised) return;
    for (const lora of this.loras) {
      const tensors = await this.#read(lora, 2);
      if (tensors !== undefined) await this.#report(lora, tensors, part === 'unet');
    }
  }

  /** The lines after the picture was decoded. */
  async report() {
    if (!this.quantised || this.loras.length === 0) return;
    await this.console.info('stable-diffusion.cpp:2100', 'runtime_lora_models:');
    for (const lora of this.loras) {
      if (lora.tensors !== undefined) await this.#report(lora, lora.tensors, true);
    }
  }

  async #read(lora, bars) {
    const tensors = await readModelFile(this.console, this.clock, lora.path);
    await this.console.info('lora.hpp:47', `loading LoRA from '${lora.path}'`);
    if (tensors === undefined) {
      await this.console.error('lora.hpp:50', `init lora model loader from file failed: '${lora.path}'`);
      await this.console.warn('model_manager.cpp:583', `load lora tensors from ${lora.path} failed`);
      return undefined;
    }
    for (let bar = 0; bar < bars; bar += 1) await loadTensors(this.console, this.clock, tensors);
    lora.tensors = tensors;
    return tensors;
  }

  async #report(lora, tensors, applies) {
    const unused = applies ? unusedTensors(tensors) : [];
    const applied = applies ? tensors.length - unused.length : 0;
    for (const { kind, shape } of unused) {
      const name = `lora.model.diffusion_model.${UNUSED_TARGET}.weight.${kind.replace('.weight', '')}`;
      const extents = [...shape.toReversed(), 1, 1, 1, 1].slice(0, 4).join(', ');
      await this.console.warn('lora.hpp:982', `unused lora tensor |${name}|\n (f16): shape(${extents})`);
    }
    const counts = `(${applied} / ${tensors.length}) LoRA tensors have been applied, lora_file_path = ${lora.path}`;
    if (unused.length > 0) await this.console.warn('lora.hpp:994', `Only ${counts}`);
    else await this.console.info('lora.hpp:997', counts);
  }
}

function unusedTensors(tensors) {
  return UNUSED_ORDER.flatMap((kind) =>
    tensors.filter(({ name }) => name === `lora_unet_${UNUSED_TARGET}.${kind}`).map(({ shape }) => ({ kind, shape }))
  );
}
