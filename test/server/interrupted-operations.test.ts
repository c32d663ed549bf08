import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanUpAfterCrashes } from '../../server/operations/clean-up/start-up';
import { findModel } from '../../server/operations/models/known-models';
import { listModels } from '../../server/operations/models/list-models';
import { ownerTag, ownIdentity } from '../../server/platform/process-identity';
import { withStamp } from '../../server/registry/registry-state';
import { folderStamp } from '../../server/store/bundle-swap';
import { parseModelName } from '../../shared/model-name';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../support/test-services';

const NAME = parseModelName('test-model');
const TO = parseModelName('new-name')!;
const ENTRY = 'test-model.0123456789abcdef';

let services: TestServices;
let folder: string;

beforeEach(async () => {
  const source = join(await temporaryFolder(), 'weights.gguf');
  await writeFile(source, 'weights');
  services = await testServices();
  ({ folder } = await pullManifest(services, await writeManifest([{ url: pathToFileURL(source).href }])));
});

/** What a process that died in the middle of an operation leaves of it. */
async function leaveOperation(fields: Record<string, unknown>): Promise<void> {
  const { layout } = services;
  for (const place of [layout.operations, layout.purge]) await mkdir(place, { recursive: true });
  const owner = { ...(await ownIdentity()), startTime: '1' };
  const record = { name: NAME, owner, replaces: await folderStamp(folder), purge: ENTRY, ...fields };
  await writeFile(join(layout.operations, '0123456789abcdef.json'), JSON.stringify(record));
}

/** The list after the next start. */
async function listed(): Promise<string[]> {
  const next = await testServices({ root: services.root });
  await cleanUpAfterCrashes(next);
  return (await listModels(next)).map(({ name, status }) => `${name} ${status}`);
}

const aside = () => join(services.layout.purge, ENTRY);

describe('a model whose removal was interrupted', () => {
  const moments: [string, () => Promise<unknown>][] = [
    ['before anything was moved', async () => undefined],
    ['when the bundle was moved aside', () => rename(folder, aside())],
    ['when the bundle was gone', () => rm(folder, { recursive: true })]
  ];

  it.each(moments)('%s is not installed after the next start, and can be pulled', async (_, moment) => {
    await leaveOperation({ kind: 'drop' });
    await moment();
    expect(await listed()).toEqual(['test-model registered']);
  });

  it.each(moments)('%s is forgotten when that was asked for', async (_, moment) => {
    await leaveOperation({ kind: 'drop', forget: true });
    await moment();
    expect(await listed()).toEqual([]);
  });

  it('and that was pulled again since stays installed', async () => {
    await leaveOperation({ kind: 'drop', replaces: 'an earlier one', forget: true });
    expect(await listed()).toEqual(['test-model installed']);
  });
});

it('a model whose installation was interrupted before it was noted is known to be installed', async () => {
  const model = await findModel(services, 'test-model');
  await services.registry.change((models) => withStamp(models, model.name, undefined, 1));
  await leaveOperation({ kind: 'install', replaces: '', staging: ENTRY });
  expect(await listed()).toEqual(['test-model installed']);
  const { installed } = await findModel(services, 'test-model');
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  expect(installed).toMatchObject({
    cache_dir: folder,
    installed_at_unix_ms: manifest.installed_at_unix_ms,
    cache_size_bytes: 7,
    content_key: expect.any(String)
  });
});

it('a model whose files somebody else removed is still missing after an interrupted installation', async () => {
  await rm(folder, { recursive: true });
  await leaveOperation({ kind: 'install', staging: ENTRY });
  expect(await listed()).toEqual(['test-model missing']);
});

it('tries again at the next start when what happened cannot be noted', async () => {
  await leaveOperation({ kind: 'drop' });
  const registry = join(services.root, 'registry');
  await rename(registry, `${registry}.kept`);
  await writeFile(registry, 'in the way');
  await cleanUpAfterCrashes(services);
  await rm(registry);
  await rename(`${registry}.kept`, registry);
  expect(await listed()).toEqual(['test-model registered']);
});

const renamed = () => services.layout.model(TO);

async function rewriteName(): Promise<void> {
  const path = join(renamed(), 'manifest.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), name: TO }));
}

async function leaveTemporary(): Promise<void> {
  const owner = { ...(await ownIdentity()), startTime: '1' };
  await writeFile(join(renamed(), `.${ownerTag(owner, '0123456789abcdef')}.tmp`), '{');
}

describe('a model whose renaming was interrupted', () => {
  it('before its folder was moved keeps its name', async () => {
    await leaveOperation({ kind: 'rename', to: TO });
    expect(await listed()).toEqual(['test-model installed']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['when its folder was moved', () => rename(folder, renamed())],
    ['when its manifest was written', () => rename(folder, renamed()).then(rewriteName)],
    ['in the middle of its manifest', () => rename(folder, renamed()).then(leaveTemporary)]
  ])('%s has the new name after the next start, and all its files', async (_, moment) => {
    await leaveOperation({ kind: 'rename', to: TO });
    await moment();
    expect(await listed()).toEqual(['new-name installed']);
    expect(JSON.parse(await readFile(join(renamed(), 'manifest.json'), 'utf8')).name).toBe(TO);
    expect((await readdir(renamed())).toSorted()).toEqual(['manifest.json', 'weights.gguf']);
  });

  it('and that was installed anew under its old name since is not touched', async () => {
    await leaveOperation({ kind: 'rename', to: TO, replaces: 'an earlier one' });
    expect(await listed()).toEqual(['test-model installed']);
  });
});
