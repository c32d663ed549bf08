import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { safetensorsFile, type WantedTensor } from '../../support/weights/safetensors-file';
import { type Dock, openDock } from './dock-workbench';

const manifest = (name: string, files: Readonly<Record<string, string>>, defaults = {}): string =>
  JSON.stringify({
    name,
    defaults,
    files: Object.entries(files).map(([role, filename]) => ({ role, filename, url: filename }))
  });

const SD1 = {
  model: 'te-sd1-q1_0.gguf',
  diffusion_model: 'unet-sd1.safetensors',
  taesd: 'taesd.safetensors',
  control_net: 'control.safetensors'
};
const FLUX = {
  diffusion_model: 'flux.safetensors',
  vae: 'vae.safetensors',
  clip_l: 'clip.safetensors',
  t5xxl: 't5.safetensors'
};

let dock: Dock;

beforeAll(async () => {
  const size = { width: 64, height: 64 };
  dock = await openDock({
    files: {
      'sd1/manifest.json': manifest('tiny', SD1, { ...size, steps: 3 }),
      'flux/manifest.json': manifest('kontext', FLUX)
    }
  });
  createModelFolder(path.join(dock.workspace, 'sd1'));
  writeWeights('sd1/control.safetensors', [['unknown.weight', [4]]]);
  // The least by which a model of Flux dev is known.
  writeWeights('flux/flux.safetensors', [
    ['img_in.weight', [1, 64]],
    ['txt_in.weight', [1, 4096]],
    ['double_blocks.0.scale', [1]],
    ['guidance_in.in_layer.weight', [1, 1]]
  ]);
  for (const [name, length] of [
    ['vae', 1],
    ['clip', 2],
    ['t5', 3]
  ] as const) {
    writeWeights(`flux/${name}.safetensors`, [['unknown.weight', [length]]]);
  }
  await dock.wb.openView('Diffusion Dock');
  for (const name of ['tiny', 'kontext']) {
    await dock.wb.until(async () => (await dock.description(name)) !== undefined, 'the models');
    await dock.wb.clickTreeItem('Models', name, { action: 'Pull' });
    await dock.wb.until(async () => (await dock.description(name))?.startsWith('installed') === true, 'the model');
  }
  await dock.wb.execCommand('Notifications: Clear All Notifications');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

it('asks for none of the sampling settings, and lets each be set in a step of its own', async () => {
  const { wb } = dock;
  await begin('tiny');
  await wb.pick('More Settings…');
  await shows("3, the model's default");
  await shows("euler_a, the model's default");
  expect(await wb.quickInput.getByText('Guidance', { exact: true }).count()).toBe(0);
  await dock.screenshot('settings-defaults');
  await wb.pick('Steps');
  await wb.answer('4');
  await wb.pick('Sampling Method');
  await dock.screenshot('settings-samplers');
  await wb.pick('heun');
  await wb.pick('Hires Fix');
  await wb.answer('2');
  await wb.pick('Hires Strength');
  await wb.answer('0.5');
  await shows('2 × as wide and high');
  await dock.screenshot('settings-changed');
  await wb.pick('Back');
  await shows('4 steps, heun, hires ×2');
  await dock.screenshot('settings-summary');
  await wb.pick('Generate');
  await wb.page.locator('.tab.active', { hasText: /^[0-9a-f]{64}\.png/ }).waitFor();
  await wb.waitForStatusBar(/128x128/);
  expect(madeWith()).toMatchObject({ steps: 4, sampling_method: 'heun', hires: { scale: 2, strength: 0.5 } });
});

it('keeps them for the model, until they are taken back', async () => {
  const { wb } = dock;
  await begin('tiny');
  await shows('4 steps, heun, hires ×2');
  await wb.pick('More Settings…');
  await wb.pick('Reset to Defaults');
  await shows("3, the model's default");
  await wb.pick('Back');
  await shows('steps, sampling method, guidance, second pass…');
  await wb.page.keyboard.press('Escape');
});

it('takes an image to start from away again where it is shown', async () => {
  const { wb } = dock;
  // The one that is open.
  await begin('tiny', 'Generate from Image…');
  await wb.quickInput.getByText('Mask', { exact: true }).waitFor();
  await wb.pick('Start Image');
  await wb.quickInput.getByText('Choose Another…', { exact: true }).waitFor();
  await dock.screenshot('settings-start-image');
  await wb.pick('None');
  await wb.quickInput.getByText('random', { exact: true }).waitFor();
  for (const gone of ['Start Image', 'Strength', 'Mask']) {
    expect(await wb.quickInput.getByText(gone, { exact: true }).count()).toBe(0);
  }
  await wb.page.keyboard.press('Escape');
});

it('asks for a control image where the model has a ControlNet, and for reference images where it edits', async () => {
  const { wb } = dock;
  await begin('tiny');
  await wb.quickInput.getByText('Control Image', { exact: true }).waitFor();
  expect(await wb.quickInput.getByText('Reference Images', { exact: true }).count()).toBe(0);
  await dock.screenshot('settings-control-image');
  await wb.page.keyboard.press('Escape');
  await begin('kontext');
  await wb.quickInput.getByText('Reference Images', { exact: true }).waitFor();
  expect(await wb.quickInput.getByText('Control Image', { exact: true }).count()).toBe(0);
  await dock.screenshot('settings-references');
  await wb.pick('More Settings…');
  await wb.quickInput.getByText('Guidance', { exact: true }).waitFor();
  await dock.screenshot('settings-flux');
  await wb.page.keyboard.press('Escape');
  await wb.page.keyboard.press('Escape');
});

async function begin(model: string, command = 'Generate Image…'): Promise<void> {
  await dock.wb.execCommand(`Diffusion Dock: ${command}`);
  await dock.wb.pick(model);
  await dock.wb.answer('a lighthouse at dusk');
  await dock.wb.quickInput.getByText('random', { exact: true }).waitFor();
}

async function shows(description: string): Promise<void> {
  await dock.wb.quickInput.getByText(description, { exact: true }).waitFor();
}

function writeWeights(file: string, tensors: readonly (readonly [name: string, shape: readonly number[]])[]): void {
  const target = path.join(dock.workspace, file);
  const wanted = tensors.map(([name, shape]): WantedTensor => ({ name, dtype: 'BF16', shape }));
  const { start, size } = safetensorsFile(wanted);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, Buffer.concat([start, Buffer.alloc(size - start.length)]));
}

/** The request of the only image in the gallery. */
function madeWith(): unknown {
  const folder = path.join(dock.home, 'images', 'sha256');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  const [name = ''] = names;
  expect(names).toHaveLength(1);
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8')).request;
}
