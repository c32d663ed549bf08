import { createHash } from 'node:crypto';
import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { combinedHash } from '../../../server/artifacts/publications/artifact-files';
import { fileKey, INDEX_KEY, pointerKey } from '../../../server/artifacts/publications/publication-keys';
import type { StoreKey } from '../../../server/artifacts/store-key';
import { listStore } from '../../../server/operations/stores/list-stores';
import { parseDigest } from '../../../shared/digest';
import {
  fetchTiny,
  filesBelow,
  installedFiles,
  installedManifest,
  member,
  sha256,
  sharedFolder,
  TINY
} from '../../support/artifacts/team';
import { temporaryFolder } from '../../support/temporary-folder';
import type { TestServices } from '../../support/test-services';

const { signal } = new AbortController();
const ATTEMPT = '20260102t030405z-0123456789abcdef';
const MANIFEST = fileKey(TINY, ATTEMPT, 'manifest.json');

let folder: { readonly url: string; readonly path: string };
let store: ObjectStore;
let reader: TestServices;

beforeEach(async () => {
  folder = await sharedFolder();
  reader = await member();
  store = new FileStore(folder.path, reader.hasher);
});

interface Entry {
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes?: number;
}

const entry = (name: string, content: string): Entry => ({ name, sha256: sha256(content) });

function combinedOf(entries: readonly Entry[]): string {
  const files = entries.map(({ name, sha256: text }) => {
    const digest = parseDigest(text);
    if (!digest) throw new Error('it is a digest');
    return { name, digest, bytes: null };
  });
  return combinedHash(files);
}

const put = (key: StoreKey, text: string) => store.put(key, { kind: 'bytes', bytes: Buffer.from(text) }, { signal });

/** Writes what a team store says of the model, as somebody who means no good. */
async function point(pointer: Record<string, unknown>): Promise<void> {
  const facts = { kind: 'published', version: 1, name: 'tiny', attempt: ATTEMPT, bytes: 7, files: 1 };
  const text = JSON.stringify({
    ...facts,
    combined: '0'.repeat(64),
    published_at_unix_ms: 1,
    replaced: [],
    ...pointer
  });
  const before = await store.readDocument(pointerKey(TINY), { signal, limit: 1e6 });
  await store.swapDocument(pointerKey(TINY), Buffer.from(text), before?.version ?? null, signal);
}

/** Publishes files under names that are written into the manifest as they are. */
async function publishBadly(entries: readonly Entry[]): Promise<void> {
  await put(MANIFEST, JSON.stringify({ files: entries }));
  await point({ combined: combinedOf(entries) });
}

/** What a fetch ends with; nothing of it may be anywhere. */
async function refusal(): Promise<{ code: string; message: string; subject: string }> {
  const failure = await fetchTiny(reader, folder.url).catch((error: unknown) => error);
  expect(await installedFiles(reader)).toEqual({});
  expect((await readdir(reader.root)).filter((name) => /^(models|fetched)$/.test(name))).toEqual([]);
  return failure as never;
}

describe('a publication whose manifest', () => {
  const names: readonly (readonly [string, readonly string[]])[] = [
    ['leads out of its folder', ['../escaped.gguf']],
    ['leads out of its folder from below', ['inner/../../escaped.gguf']],
    ['names an absolute path', ['/tmp/escaped.gguf']],
    ['names a drive', ['C:\\escaped.gguf']],
    ['names a device of Windows', ['con.gguf']],
    ['names a hidden file', ['.bashrc']],
    ['names the manifest', ['manifest.json']],
    ['names a file twice', ['weights.gguf', 'weights.gguf']],
    ['names two files that differ in case', ['weights.gguf', 'Weights.gguf']],
    ['names a file and a folder of one name', ['weights', 'weights/part.gguf']],
    ['names no file', []]
  ];

  it.each(names)('%s is refused with the key', async (_, wanted) => {
    await publishBadly(wanted.map((name) => entry(name, 'weights')));
    expect(await refusal()).toMatchObject({ code: 'bad-publication', subject: expect.stringContaining(MANIFEST) });
    expect(await filesBelow(join(reader.root, '..', 'escaped.gguf'))).toEqual({});
  });

  it('is missing is refused with the key', async () => {
    await point({});
    expect(await refusal()).toMatchObject({ code: 'bad-publication', subject: expect.stringContaining(MANIFEST) });
  });

  it('is another one than the pointer promises is refused with the key', async () => {
    await publishBadly([entry('weights.gguf', 'weights')]);
    await put(MANIFEST, JSON.stringify({ files: [entry('weights.gguf', 'others')] }));
    expect(await refusal()).toMatchObject({ code: 'bad-publication', subject: expect.stringContaining(MANIFEST) });
  });

  it.each(['{', '[]', '{"files":[{"name":"a","sha256":"12"}]}', 'not JSON'])('is no manifest: %s', async (text) => {
    await put(MANIFEST, text);
    await point({});
    expect(await refusal()).toMatchObject({ code: 'bad-publication', subject: expect.stringContaining(MANIFEST) });
  });

  it('is larger than any is not read', async () => {
    await put(MANIFEST, ' '.repeat(9 * 1024 * 1024));
    await point({});
    expect(await refusal()).toMatchObject({ code: 'size-mismatch', subject: expect.stringContaining(MANIFEST) });
  });

  it('lists more files than any model has is refused', async () => {
    await publishBadly(Array.from({ length: 10_001 }, (_, index) => entry(`${index}.gguf`, 'weights')));
    expect(await refusal()).toMatchObject({ code: 'bad-publication', message: expect.stringContaining('10001') });
  });
});

describe('a publication whose file', () => {
  const key = fileKey(TINY, ATTEMPT, 'weights.gguf');

  it('has another content is refused with the key', async () => {
    await publishBadly([entry('weights.gguf', 'weights')]);
    await put(key, 'Weights');
    expect(await refusal()).toMatchObject({
      code: 'digest-mismatch',
      subject: expect.stringContaining('weights.gguf')
    });
  });

  it('has another size than the manifest says is refused with the key', async () => {
    await publishBadly([{ ...entry('weights.gguf', 'weights'), size_bytes: 8 }]);
    await put(key, 'weights');
    expect(await refusal()).toMatchObject({ code: 'size-mismatch', subject: expect.stringContaining('weights.gguf') });
  });

  it('is missing is refused with the key', async () => {
    await publishBadly([entry('weights.gguf', 'weights')]);
    expect(await refusal()).toMatchObject({
      code: 'bad-publication',
      subject: expect.stringContaining(key),
      message: expect.stringContaining('weights.gguf')
    });
  });

  it('is a link that leaves the store is not followed', async () => {
    const secret = join(await temporaryFolder(), 'secret');
    await writeFile(secret, 'weights');
    await publishBadly([entry('weights.gguf', 'weights')]);
    await put(key, 'weights');
    const path = join(folder.path, key);
    await rm(path);
    await symlink(secret, path);
    expect((await refusal()).code).toMatch(/bad-publication|file-access|object-missing/);
  });
});

describe('a publication that says of its files', () => {
  it.each([
    '{',
    '{"version":1}',
    '{"version":1,"roles":[{"name":"../weights.gguf","role":"vae"}]}',
    '{"version":1,"roles":[],"defaults":{"steps":"many"}}'
  ])('%s is refused with the key', async (facts) => {
    await publishBadly([entry('weights.gguf', 'weights'), entry('diffusion-dock.json', facts)]);
    await put(fileKey(TINY, ATTEMPT, 'weights.gguf'), 'weights');
    await put(fileKey(TINY, ATTEMPT, 'diffusion-dock.json'), facts);
    expect(await refusal()).toMatchObject({
      code: 'bad-publication',
      subject: expect.stringContaining('diffusion-dock.json')
    });
  });

  it('what only a later version understands asks for an update', async () => {
    const facts = '{"version":2,"parts":{}}';
    await publishBadly([entry('weights.gguf', 'weights'), entry('diffusion-dock.json', facts)]);
    await put(fileKey(TINY, ATTEMPT, 'diffusion-dock.json'), facts);
    expect(await refusal()).toMatchObject({ message: expect.stringContaining('newer version') });
  });

  it('something else than was published is refused with the key', async () => {
    await publishBadly([entry('weights.gguf', 'weights'), entry('diffusion-dock.json', '{"version":1,"roles":[]}')]);
    await put(
      fileKey(TINY, ATTEMPT, 'diffusion-dock.json'),
      '{"version":1,"roles":[{"name":"weights.gguf","role":"vae"}]}'
    );
    expect(await refusal()).toMatchObject({
      code: 'bad-publication',
      subject: expect.stringContaining('diffusion-dock.json')
    });
  });
});

describe('a pointer', () => {
  it.each([
    ['to another place', { attempt: '../other' }],
    ['to a place that no publisher makes', { attempt: 'photos' }],
    ['to an absolute place', { attempt: '/etc' }],
    ['that is that of another model', { name: 'other' }],
    ['without a digest', { combined: 'none' }],
    ['of a later version', { version: 2 }]
  ])('%s is refused with its key', async (_, fields) => {
    await put(fileKey(TINY, ATTEMPT, 'weights.gguf'), 'weights');
    await point(fields);
    expect(await refusal()).toMatchObject({
      code: 'bad-publication',
      subject: expect.stringContaining('_current.json')
    });
  });
});

const listed = () => listStore(reader, folder.url, signal);

it('a publication of another tool gets the roles that the headers of its files tell, and says so', async () => {
  const weights = gunzipSync(await readFile(join(import.meta.dirname, '../../../samples/files/te-sd1-q1_0.gguf.gz')));
  await publishBadly([
    { name: 'encoder.gguf', sha256: createHash('sha256').update(weights).digest('hex') },
    entry('readme.txt', 'read me')
  ]);
  await store.put(fileKey(TINY, ATTEMPT, 'encoder.gguf'), { kind: 'bytes', bytes: weights }, { signal });
  await put(fileKey(TINY, ATTEMPT, 'readme.txt'), 'read me');
  const { likelyRoles } = await fetchTiny(reader, folder.url);
  expect(likelyRoles).toEqual([{ path: 'encoder.gguf', role: 'clip_l' }]);
  const { files } = await installedManifest(reader);
  expect(files).toMatchObject([{ path: 'encoder.gguf', role: 'clip_l' }, { path: 'readme.txt' }]);
});

describe('a list of publications', () => {
  it('that promises what nobody published is shown, and fetching it says that it is not there', async () => {
    const lie = { name: 'tiny', combined: '0'.repeat(64), bytes: 1, files: 1, published_at_unix_ms: 1 };
    await store.swapDocument(INDEX_KEY, Buffer.from(JSON.stringify({ version: 1, publications: [lie] })), null, signal);
    expect(await listed()).toMatchObject({ publications: [{ name: 'tiny' }] });
    expect(await refusal()).toMatchObject({ code: 'not-published' });
  });

  it.each(['{', '{"version":1,"publications":[{"name":"../x"}]}'])('that is none counts as empty: %s', async (text) => {
    await store.swapDocument(INDEX_KEY, Buffer.from(text), null, signal);
    expect(await listed()).toMatchObject({ publications: [] });
  });
});
