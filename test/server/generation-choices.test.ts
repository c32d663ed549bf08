import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { choicesOfModel } from '../../server/operations/generate/choices-of-model';
import { dropModel } from '../../server/operations/models/drop-model';
import { findModel } from '../../server/operations/models/known-models';
import type { GenerationChoices } from '../../shared/generation';
import type { GenerationDefaults } from '../../shared/manifest/generation-defaults';
import { SAMPLING_METHODS, SCHEDULERS } from '../../shared/sampling';
import { engineScript } from '../support/engine-script';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../support/test-services';
import { PUBLISHED, type Tensors } from '../support/weights/published';
import { safetensorsFile } from '../support/weights/safetensors-file';
import { failureOf } from '../unit/engine/failures';
import { expandSampleModel, STAND_IN } from '../unit/engine/sample-model';

/** The least by which a model of Flux dev is known. */
const FLUX_DEV: Tensors = {
  'img_in.weight': [1, 64],
  'txt_in.weight': [1, 4096],
  'double_blocks.0.scale': [1],
  'guidance_in.in_layer.weight': [1, 1]
};

/** Writes a model of files with next to nothing in them. @returns their entries in a manifest */
async function smallModel(files: Readonly<Record<string, Tensors>>) {
  const folder = await temporaryFolder();
  return Promise.all(
    Object.entries(files).map(async ([role, tensors]) => {
      const filename = `${role}.safetensors`;
      const wanted = Object.entries(tensors).map(([name, shape]) => ({ name, dtype: 'BF16', shape }));
      const { start, size } = safetensorsFile(wanted);
      await writeFile(join(folder, filename), Buffer.concat([start, Buffer.alloc(size - start.length)]));
      return { role, filename, url: pathToFileURL(join(folder, filename)).href };
    })
  );
}

const unknown = (size: number): Tensors => ({ 'unknown.weight': [size] });
const flux = () => smallModel({ diffusion_model: FLUX_DEV, vae: unknown(1), clip_l: unknown(2), t5xxl: unknown(3) });

async function sample() {
  const files = await expandSampleModel(await temporaryFolder());
  return files.map(({ role, path }) => ({ role, url: pathToFileURL(path).href, filename: path.split('/').at(-1)! }));
}

async function choicesFor(
  files: Awaited<ReturnType<typeof smallModel>>,
  { defaults = {}, sdCliPath = STAND_IN }: { readonly defaults?: GenerationDefaults; readonly sdCliPath?: string } = {}
): Promise<GenerationChoices> {
  const services = await testServices({ sdCliPath });
  await pullManifest(services, await writeManifest(files, { defaults }));
  return choicesOfModel(services, await findModel(services, 'test-model'), new AbortController().signal);
}

describe('what a request to a model may say', () => {
  it('are the values that change something for its family', async () => {
    const { settings } = await choicesFor(await sample());
    expect(settings).toEqual(expect.arrayContaining(['steps', 'cfg_scale', 'sampling_method', 'scheduler', 'hires']));
    expect(settings).not.toContain('guidance');
    expect((await choicesFor(await flux())).settings).toContain('guidance');
  });

  it('has no second pass where videos are made', async () => {
    const wan = { diffusion_model: PUBLISHED.wan, vae: unknown(1), t5xxl: unknown(2) };
    expect((await choicesFor(await smallModel(wan))).settings).not.toContain('hires');
  });

  it('counts by the manifest where it says nothing, and by what is usual for the family', async () => {
    const { defaults } = await choicesFor(await sample(), { defaults: { steps: 3 } });
    expect(defaults).toMatchObject({ steps: 3, cfg_scale: 7, sampling_method: 'euler_a', width: 512 });
    expect((await choicesFor(await flux())).defaults).toEqual({ cfg_scale: 1, sampling_method: 'euler' });
  });

  it('names the images that it takes', async () => {
    expect((await choicesFor(await flux())).inputs).toEqual({ references: true, controlImage: false });
  });

  it('is what the engine of this machine knows by its own help', async () => {
    const help = [
      '  -s, --steps <int>     number of steps',
      '  --sampling-method     sampling method, one of [euler, heun]',
      '  --scheduler           noise schedule, one of [discrete]'
    ];
    const before = `if (process.argv.includes('--help')) {
      console.log(${JSON.stringify(help.join('\n'))});
      process.exit(0);
    }`;
    const choices = await choicesFor(await sample(), { sdCliPath: await engineScript({ before }) });
    expect(choices).toMatchObject({
      settings: ['steps', 'sampling_method', 'scheduler'],
      samplingMethods: ['euler', 'heun'],
      schedulers: ['discrete']
    });
  });

  it('is all that sd-cli is known to know where there is none to be asked', async () => {
    const choices = await choicesFor(await sample(), { sdCliPath: '/no/sd-cli' });
    expect(choices).toMatchObject({ samplingMethods: [...SAMPLING_METHODS], schedulers: [...SCHEDULERS] });
    expect(choices.settings).toContain('hires');
  });

  it('is told without the engine as long as the workspace is not trusted: nothing is started then', async () => {
    const note = join(await temporaryFolder(), 'started');
    const before = `require('node:fs').writeFileSync(${JSON.stringify(note)}, 'yes');`;
    let isTrusted = true;
    const services = await testServices({ sdCliPath: await engineScript({ before }), isTrusted: () => isTrusted });
    await pullManifest(services, await writeManifest(await sample()));
    isTrusted = false;
    const model = await findModel(services, 'test-model');
    const choices = await choicesOfModel(services, model, new AbortController().signal);
    expect(choices.samplingMethods).toEqual(SAMPLING_METHODS);
    expect(existsSync(note)).toBe(false);
  });

  it('is not told of a model that is not installed', async () => {
    const services = await testServices({ sdCliPath: STAND_IN });
    await pullManifest(services, await writeManifest(await sample()));
    await dropModel(services, await findModel(services, 'test-model'));
    const known = await findModel(services, 'test-model');
    expect(await failureOf(choicesOfModel(services, known, new AbortController().signal))).toMatchObject({
      code: 'not-installed'
    });
  });
});
