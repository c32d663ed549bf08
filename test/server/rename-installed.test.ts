import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { inTurn } from '../../server/engine/queue';
import { listModels } from '../../server/operations/models/list-models';
import { checkRenaming } from '../../server/operations/rename/check-renaming';
import { renameModel } from '../../server/operations/rename/rename-model';
import { parseModelName } from '../../shared/model-name';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../support/test-services';

const NAME = parseModelName('test-model')!;
const TO = parseModelName('new-name')!;

let services: TestServices;

beforeEach(async () => {
  const source = join(await temporaryFolder(), 'weights.gguf');
  await writeFile(source, 'weights');
  services = await testServices();
  await pullManifest(services, await writeManifest([{ url: pathToFileURL(source).href }]));
});

async function listed(): Promise<string[]> {
  return (await listModels(services)).map(({ name, status }) => `${name} ${status}`);
}

const rename = () => renameModel(services, { name: NAME, to: TO });

describe('an installed model', () => {
  it('gets another name with its folder, its manifest and its place in the list', async () => {
    await rename();
    expect(await listed()).toEqual(['new-name installed']);
    const folder = services.layout.model(TO);
    expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toMatchObject({ name: TO });
    expect(await readFile(join(folder, 'weights.gguf'), 'utf8')).toBe('weights');
    const [entry] = await services.registry.read();
    expect(entry).toMatchObject({ manifest: { name: TO }, installed: { cache_dir: folder } });
  });

  it('keeps its name where a folder of the new one is already, whatever lies in it', async () => {
    const folder = services.layout.model(TO);
    await mkdir(folder);
    await writeFile(join(folder, 'a.txt'), 'mine');
    await expect(rename()).rejects.toThrow('There is a model named new-name already.');
    expect(await listed()).toContain('test-model installed');
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('mine');
  });

  it('keeps its name while a job runs on it, which the editor is told before anything is edited', async () => {
    await services.jobs.run(NAME, 'being verified', async () => {
      await expect(rename()).rejects.toThrow('test-model is being verified already.');
      const path = join(await temporaryFolder(), 'manifest.json');
      const asked = checkRenaming(services, { path, from: NAME, to: TO });
      await expect(asked).rejects.toThrow('test-model is being verified already.');
    });
    expect(await listed()).toEqual(['test-model installed']);
  });

  it('keeps its name while an engine runs', async () => {
    const { signal } = new AbortController();
    const queue = { folder: services.layout.queue, model: NAME, signal, onPlace: vi.fn(), endOrphans: vi.fn() };
    await inTurn(queue, async () => {
      await expect(rename()).rejects.toThrow('test-model cannot be renamed while images are being made.');
    });
    expect(await listed()).toEqual(['test-model installed']);
    await rename();
  });

  it('is unloaded before, and keeps its name in an untrusted workspace', async () => {
    const unloaded: string[] = [];
    const residents = Object.assign(Object.create(services.residents), {
      unload: (name: string) => Promise.resolve(unloaded.push(name))
    });
    const asked = renameModel({ ...services, isTrusted: () => false }, { name: NAME, to: TO });
    await expect(asked).rejects.toThrow('not available in an untrusted workspace');
    await renameModel({ ...services, residents }, { name: NAME, to: TO });
    expect(unloaded).toEqual([NAME]);
  });
});
