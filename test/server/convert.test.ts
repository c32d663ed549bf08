import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertModel } from '../../server/operations/convert/convert-model';
import { generateImage } from '../../server/operations/generate/generate-image';
import { dropModel } from '../../server/operations/models/drop-model';
import { findModel, knownModels } from '../../server/operations/models/known-models';
import { listModels } from '../../server/operations/models/list-models';
import { modelFromFolder } from '../../server/operations/pull/folder-model';
import { planModel, pullModel } from '../../server/operations/pull/pull-model';
import { renameModel } from '../../server/operations/rename/rename-model';
import type { ServiceOptions } from '../../server/operations/services';
import { healModel } from '../../server/operations/verify-and-heal/heal-model';
import { verifyModel } from '../../server/operations/verify-and-heal/verify-model';
import type { ConversionResult } from '../../shared/conversion';
import type { GenerationProgress } from '../../shared/job-events';
import { parseModelName } from '../../shared/model-name';
import { findWeightType } from '../../shared/weight-types';
import { fastEngine } from '../support/fast-engine';
import { STAND_IN } from '../support/run-cli';
import { createModelFolder } from '../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../support/temporary-folder';
import { cacheEntries, pullManifest, type TestServices, testServices, writeManifest } from '../support/test-services';

let models: string;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  createModelFolder(models);
});

afterAll(() => rm(models, { recursive: true }));

const NAME = 'test-model';

interface ConvertChoices {
  readonly type?: string;
  readonly as?: string;
  readonly roles?: readonly string[];
  readonly from?: string;
  readonly signal?: AbortSignal;
  readonly timeLimitMinutes?: number;
  readonly onProgress?: (progress: GenerationProgress) => void;
}

interface Bench {
  readonly services: TestServices;
  readonly convert: (choices?: ConvertChoices) => Promise<ConversionResult>;
}

async function bench(options: Partial<ServiceOptions> = {}): Promise<Bench> {
  const services = await testServices({ sdCliPath: (await fastEngine(await temporaryFolder())).path, ...options });
  const split = { model: 'te-sd1-q1_0.gguf', diffusion_model: 'unet-sd1.safetensors', taesd: 'taesd.safetensors' };
  const listed = Object.entries(split).map(([role, file]) => ({
    role,
    filename: basename(file),
    url: pathToFileURL(join(models, file)).href
  }));
  const defaults = { width: 64, height: 64, steps: 2 };
  await pullManifest(services, await writeManifest(listed, { defaults, license: 'MIT' }));
  return {
    services,
    async convert({ type = 'q8_0', from = NAME, as, roles = ['diffusion_model'], ...choices } = {}) {
      const wish = { type: findWeightType(type)!, as, roles };
      const signal = new AbortController().signal;
      const sinks = { onProgress: () => undefined, signal, ...choices };
      return convertModel(services, await findModel(services, from), wish, sinks);
    }
  };
}

/** Everything that is there of models, and nothing else. */
async function state(services: TestServices): Promise<unknown> {
  const known = await knownModels(services);
  const entries = await cacheEntries(services);
  return {
    known: known.map(({ name }) => name),
    entries: entries.filter((path) => !/^(blobs|engine|proofs|\.queue)/.test(path))
  };
}

const QUIETLY = {
  signal: new AbortController().signal,
  onProgress: () => undefined,
  onEvent: () => undefined
};

/** Cuts a file of what was converted. */
async function damage({ layout }: TestServices, file = 'unet-sd1-q8_0.gguf'): Promise<void> {
  const path = join(layout.model(parseModelName('test-model-q8_0')!), file);
  // Other models share the bytes.
  const bytes = await readFile(path);
  await rm(path);
  await writeFile(path, bytes.subarray(0, -10));
}

const installed = async ({ layout }: TestServices, name: string) =>
  JSON.parse(await readFile(join(layout.root, 'models', name, 'manifest.json'), 'utf8'));

describe('converting a model', () => {
  it('makes a sound model of its own, with roles, defaults and licence, that says where it comes from', async () => {
    const { services, convert } = await bench();
    const result = await convert();
    expect(result).toMatchObject({
      model: 'test-model-q8_0',
      from: NAME,
      converted: ['unet-sd1-q8_0.gguf'],
      warnings: []
    });
    expect(result.bytes).toBeLessThan(result.originalBytes);
    const manifest = await installed(services, 'test-model-q8_0');
    expect(manifest).toMatchObject({ defaults: { steps: 2 }, license: 'MIT' });
    expect(manifest.source).toMatch(/^test-model converted to q8_0 by sd-cli /);
    const files = manifest.files.map(({ path, role, digest_origin }: Record<string, string>) => [
      path,
      role,
      digest_origin
    ]);
    expect(files).toEqual([
      ['taesd.safetensors', 'taesd', 'observed'],
      ['te-sd1-q1_0.gguf', 'model', 'observed'],
      ['unet-sd1-q8_0.gguf', 'diffusion_model', 'observed']
    ]);
    const signal = new AbortController().signal;
    const model = await findModel(services, 'test-model-q8_0');
    const verdict = { depth: 'deep', force: true, signal, onProgress: () => undefined } as const;
    expect(await verifyModel(services, model, verdict)).toMatchObject({ healthy: true });
    const made = await generateImage(
      services,
      model,
      { prompt: 'a cat', seed: 1 },
      { signal, onProgress: () => undefined }
    );
    expect(made.images).toHaveLength(1);
  });

  it('leaves the old model as it is', async () => {
    const { services, convert } = await bench();
    const before = await installed(services, NAME);
    await convert();
    expect(await installed(services, NAME)).toEqual(before);
    expect(await readdir(services.layout.scratch)).toEqual([]);
  });

  it('tells how far it is', async () => {
    const { convert } = await bench();
    const seen: GenerationProgress[] = [];
    await convert({ onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['starting', 'converting', 'installing']));
    const fractions = seen.map(({ fraction = 0 }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((one, other) => one - other));
  });

  it('converts files with other roles when they are named', async () => {
    const { services, convert } = await bench();
    expect(await convert({ type: 'F16', roles: ['model', 'diffusion_model'], as: 'half' })).toMatchObject({
      model: 'half',
      converted: ['te-sd1-q1_0-f16.gguf', 'unet-sd1-f16.gguf']
    });
    expect((await installed(services, 'half')).files).toHaveLength(3);
  });

  it('is listed with how it was made, before and after it was removed; the old one is not', async () => {
    const { services, convert } = await bench();
    await convert();
    const made = async () => (await listModels(services)).map(({ name, madeHere }) => [name, madeHere]);
    const expected = [
      [NAME, undefined],
      [
        'test-model-q8_0',
        { from: NAME, type: 'q8_0', engine: expect.stringMatching(/./), files: ['unet-sd1-q8_0.gguf'] }
      ]
    ];
    expect(await made()).toEqual(expected);
    await dropModel(services, await findModel(services, 'test-model-q8_0'));
    expect(await made()).toEqual(expected);
  });

  it('can be done again once what it made was removed', async () => {
    const { services, convert } = await bench();
    await convert();
    await dropModel(services, await findModel(services, 'test-model-q8_0'));
    expect(await convert()).toMatchObject({ model: 'test-model-q8_0' });
  });

  it('can be done again in the place of what it made, once that is damaged', async () => {
    const { services, convert } = await bench();
    await convert();
    await damage(services);
    await expect(convert()).resolves.toMatchObject({ model: 'test-model-q8_0' });
    const model = await findModel(services, 'test-model-q8_0');
    expect(await verifyModel(services, model, { depth: 'quick', ...QUIETLY })).toMatchObject({ healthy: true });
  });
});

describe('what was made here', () => {
  const again =
    'Convert test-model again: diffusion-dock convert test-model --type q8_0 --role diffusion_model --as test-model-q8_0';
  const wayOut = { nextStep: again, remedy: { kind: 'convert' } };

  it('cannot be pulled, planned or used once it was removed: it is made again', async () => {
    const { services, convert } = await bench();
    await convert();
    await dropModel(services, await findModel(services, 'test-model-q8_0'));
    const model = await findModel(services, 'test-model-q8_0');
    const before = await state(services);
    const refusal = {
      ...wayOut,
      message: 'unet-sd1-q8_0.gguf of test-model-q8_0 was made here of test-model, so it cannot be pulled.'
    };
    await expect(pullModel(services, model, QUIETLY)).rejects.toMatchObject(refusal);
    await expect(planModel(services, model, QUIETLY.signal)).rejects.toMatchObject(refusal);
    await expect(generateImage(services, model, { prompt: 'a cat' }, QUIETLY)).rejects.toMatchObject({
      ...wayOut,
      code: 'not-installed'
    });
    expect(await state(services)).toEqual(before);
  });

  it('cannot be healed where it was made, and is healed where it was not', async () => {
    const { services, convert } = await bench();
    await convert();
    const model = await findModel(services, 'test-model-q8_0');
    await damage(services, 'taesd.safetensors');
    expect(await healModel(services, model, QUIETLY)).toMatchObject({ healed: ['taesd.safetensors'] });
    await damage(services);
    await expect(healModel(services, model, QUIETLY)).rejects.toMatchObject(wayOut);
  });

  it('is known by what the registry says of it, whatever words its source has', async () => {
    const { services } = await bench();
    const folder = join(await temporaryFolder(), 'photos converted to q8_0 by sd-cli');
    await mkdir(folder);
    await copyFile(join(models, 'taesd.safetensors'), join(folder, 'taesd.safetensors'));
    const name = parseModelName('folder')!;
    await pullModel(services, await modelFromFolder(name, folder, QUIETLY.signal), QUIETLY);
    const [listed] = await listModels(services);
    expect(listed).toMatchObject({ name: 'folder' });
    expect(listed).not.toHaveProperty('madeHere');
  });

  it('names the model that it was made of by its new name when that gets one', async () => {
    const { services, convert } = await bench();
    await convert();
    await renameModel(services, { name: parseModelName(NAME)!, to: parseModelName('renamed')! });
    const model = await findModel(services, 'test-model-q8_0');
    expect(model.conversion).toMatchObject({ from: 'renamed' });
  });
});

describe('a conversion is refused, and nothing changes,', () => {
  it.each([
    ['under a name that is in use', { as: 'TEST-model' }, 'There is a model named test-model already.'],
    ['under a name that no model can have', { as: '../x' }, 'A model cannot be called ../x.'],
    ['of a role that no file has', { roles: ['t5xxl'] }, 'test-model has no file with the role t5xxl.'],
    ['of a role that is not converted', { roles: ['vae'] }, 'Files with the role vae are not converted.']
  ])('%s', async (_, choices, message) => {
    const { services, convert } = await bench();
    const before = await state(services);
    await expect(convert(choices)).rejects.toMatchObject({
      message
    });
    expect(await state(services)).toEqual(before);
  });

  it('to what it is already', async () => {
    const { convert } = await bench();
    await convert();
    await expect(convert({ from: 'test-model-q8_0' })).rejects.toMatchObject({
      code: 'bad-request',
      message: 'test-model-q8_0 is stored as q8_0 already.'
    });
  });

  it('when the disk has no room for it', async () => {
    const { services, convert } = await bench();
    const full = { ...services, freeBytes: async () => 1024 ** 3 };
    const model = await findModel(services, NAME);
    const wish = { type: findWeightType('q8_0')!, roles: ['diffusion_model'] };
    const sinks = { onProgress: () => undefined, signal: new AbortController().signal };
    await expect(convertModel(full, model, wish, sinks)).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/^The conversion needs about .* and 1 GiB to spare; .* are free\.$/)
    });
    expect(await convert()).toMatchObject({ model: 'test-model-q8_0' });
  });
});

describe('a conversion leaves nothing behind', () => {
  it('when it is cancelled while the engine runs', async () => {
    const { services, convert } = await bench({ sdCliPath: STAND_IN });
    const before = await state(services);
    const cancellation = new AbortController();
    const onProgress = ({ phase }: GenerationProgress): void => {
      if (phase === 'converting') cancellation.abort();
    };
    await expect(convert({ signal: cancellation.signal, onProgress })).rejects.toMatchObject({
      code: 'cancelled',
      message: 'The conversion was cancelled.'
    });
    expect(await state(services)).toEqual(before);
    expect(await readdir(services.layout.scratch)).toEqual([]);
  });

  it('when it is cancelled while its result is installed', async () => {
    const { services, convert } = await bench();
    const before = await state(services);
    const cancellation = new AbortController();
    const onProgress = ({ phase }: GenerationProgress): void => {
      if (phase === 'installing') cancellation.abort();
    };
    await expect(convert({ signal: cancellation.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await state(services)).toEqual(before);
  });

  it('when it takes longer than allowed', async () => {
    const { services, convert } = await bench({ sdCliPath: STAND_IN });
    const before = await state(services);
    await expect(convert({ timeLimitMinutes: 0.001 })).rejects.toMatchObject({
      code: 'engine-failed',
      nextStep: 'Raise the limit (diffusionDock.engine.timeLimit).'
    });
    expect(await state(services)).toEqual(before);
  });
});
