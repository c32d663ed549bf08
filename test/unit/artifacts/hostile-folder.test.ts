import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { storeKey } from '../../../server/artifacts/store-key';
import { createHasher } from '../../../server/platform/hasher';
import {
  DOCUMENT,
  documentOf,
  KEY,
  keysBelow,
  putBytes,
  readObject,
  signal,
  swapText,
  textOf
} from '../../support/artifacts/store-under-test';
import { sharedPool } from '../../support/built-worker';
import { temporaryFolder } from '../../support/temporary-folder';

const SECRET = 'somebody’s own';

let root: string;
let outside: string;
let store: FileStore;

beforeEach(async () => {
  const folder = await temporaryFolder();
  root = join(folder, 'store');
  outside = join(folder, 'outside');
  await mkdir(join(root, 'tiny', 'attempt-1'), { recursive: true });
  await mkdir(join(outside, '.incoming'), { recursive: true });
  for (const name of ['weights.gguf', '1']) await writeFile(join(outside, name), SECRET);
  store = new FileStore(root, createHasher(sharedPool()));
});

/** Whatever was tried, nothing outside has changed. */
async function expectOutsideUntouched(): Promise<void> {
  expect((await readdir(outside, { recursive: true })).toSorted()).toEqual(['.incoming', '1', 'weights.gguf']);
  for (const name of ['weights.gguf', '1']) expect(await readFile(join(outside, name), 'utf8')).toBe(SECRET);
}

const object = () => join(root, 'tiny', 'attempt-1', 'weights.gguf');
const document = () => join(root, 'tiny', '_current.json@');
const aLink = { code: 'file-access', message: expect.stringContaining('lies a link') };
const noPlainFile = { code: 'file-access', message: expect.stringContaining('no plain file') };

/** All that reads an object. */
const readings: readonly [string, () => Promise<unknown>][] = [
  ['head', () => store.head(KEY, signal)],
  ['read', () => textOf(store, KEY)],
  ['source', () => readObject(store.source(KEY))],
  ['probe', () => store.source(KEY).probe(signal)],
  ['locate', () => store.locate(KEY)],
  ['copy', () => store.copy(KEY, storeKey('copy'), signal)],
  ['clone', async () => store.source(KEY).clone?.(join(outside, 'clone'))]
];

describe('in the folder of a store, a link', () => {
  it.each(readings)('in the place of an object is not followed (%s)', async (_, reading) => {
    await symlink(join(outside, 'weights.gguf'), object());
    await expect(reading()).rejects.toMatchObject({ ...aLink, subject: object() });
    await expectOutsideUntouched();
  });

  it.each(readings)('in the place of a folder is not followed (%s)', async (_, reading) => {
    await symlink(outside, join(root, 'linked'));
    const key = storeKey('linked', 'weights.gguf');
    await expect(store.head(key, signal)).rejects.toMatchObject({ ...aLink, subject: join(root, 'linked') });
    await expect(putBytes(store, key, Buffer.from('x'))).rejects.toMatchObject(aLink);
    await expect(store.delete(key, signal)).rejects.toMatchObject(aLink);
    await expect(swapText(store, '{}', null, storeKey('linked', 'document'))).rejects.toMatchObject(aLink);
    await expect(store.deleteDocument(storeKey('linked', 'document'), signal)).rejects.toMatchObject(aLink);
    expect(await reading().catch(() => undefined)).toBeFalsy();
    await expectOutsideUntouched();
  });

  it('in the place of a document is not followed', async () => {
    await symlink(outside, document());
    await expect(documentOf(store)).rejects.toMatchObject(aLink);
    await expect(swapText(store, '{}', null)).rejects.toMatchObject(aLink);
    await expect(store.deleteDocument(DOCUMENT, signal)).rejects.toMatchObject(aLink);
    await expectOutsideUntouched();
  });

  it('in the place of a generation is not followed', async () => {
    await mkdir(document());
    await symlink(join(outside, '1'), join(document(), '1'));
    await expect(documentOf(store)).rejects.toMatchObject(noPlainFile);
    await expect(swapText(store, '{}', null)).rejects.toMatchObject(noPlainFile);
    await store.deleteDocument(DOCUMENT, signal);
    await expectOutsideUntouched();
  });

  it('in the place of what is not whole yet is not followed', async () => {
    await symlink(outside, join(root, '.incoming'));
    await expect(putBytes(store, KEY, Buffer.from('x'))).rejects.toMatchObject(aLink);
    await expectOutsideUntouched();
  });

  it('is no part of what is listed', async () => {
    await symlink(outside, join(root, 'linked'));
    await symlink(join(outside, 'weights.gguf'), object());
    await putBytes(store, storeKey('tiny', 'true'), Buffer.from('x'));
    expect(await keysBelow(store, null)).toEqual(['tiny/true']);
    await expect(keysBelow(store, storeKey('linked'))).rejects.toMatchObject(aLink);
  });

  it('is the user’s choice where it is the folder itself', async () => {
    await symlink(outside, join(outside, '..', 'chosen'));
    const chosen = new FileStore(join(outside, '..', 'chosen'), createHasher(sharedPool()));
    expect(await textOf(chosen, storeKey('weights.gguf'))).toBe(SECRET);
  });
});

describe('in the folder of a store', () => {
  it.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
    execFileSync('mkfifo', [object()]);
    await mkdir(document());
    execFileSync('mkfifo', [join(document(), '1')]);
    for (const [, reading] of readings) await expect(reading()).rejects.toMatchObject(noPlainFile);
    await expect(documentOf(store)).rejects.toMatchObject(noPlainFile);
    await expect(swapText(store, '{}', null)).rejects.toMatchObject(noPlainFile);
    expect(await keysBelow(store, storeKey('tiny', 'attempt-1'))).toEqual([]);
  });

  it('a folder in the place of an object is none, and is not replaced by one', async () => {
    await mkdir(join(object(), 'inner'), { recursive: true });
    expect(await store.head(KEY, signal)).toBeUndefined();
    await expect(putBytes(store, KEY, Buffer.from('x'))).rejects.toMatchObject({
      code: 'file-access',
      message: expect.stringContaining('something else is in the way'),
      subject: object()
    });
    await store.delete(KEY, signal);
    expect(await readdir(object())).toEqual(['inner']);
  });

  it('a file in the place of a folder is in the way, and says so', async () => {
    await writeFile(join(root, 'file'), 'x');
    await writeFile(document(), 'x');
    const inTheWay = { code: 'file-access', message: expect.stringContaining('something else is in the way') };
    await expect(putBytes(store, storeKey('file', 'below'), Buffer.from('x'))).rejects.toMatchObject(inTheWay);
    await expect(swapText(store, '{}', null)).rejects.toMatchObject(inTheWay);
    expect(await store.head(storeKey('file', 'below'), signal)).toBeUndefined();
    expect(await documentOf(store)).toBeUndefined();
  });

  it('files of others are no part of the store', async () => {
    const names = ['.DS_Store', '.hidden', 'with space', 'Upper', 'é', '~', 'a~B', '%41x%', 'x@y'];
    for (const name of names) await writeFile(join(root, name), 'x');
    await mkdir(join(root, 'Folder'));
    await writeFile(join(root, 'Folder', 'file'), 'x');
    expect(await keysBelow(store, null)).toEqual([]);
  });

  it('a document whose number is the last possible one is not written past', async () => {
    await mkdir(document());
    await writeFile(join(document(), '999999999999'), 'last');
    const { version } = (await store.readDocument(DOCUMENT, { signal, limit: 100 })) ?? {};
    await expect(swapText(store, '{}', version ?? null)).rejects.toMatchObject({
      code: 'file-access',
      message: expect.stringContaining('generations are used up')
    });
  });

  it('a generation without a content is a fault and not waited for', async () => {
    await mkdir(join(document(), '3'), { recursive: true });
    await expect(documentOf(store)).rejects.toMatchObject({ code: 'file-access' });
  });

  it('a folder that is a file, or that nobody may write to, is told so', async () => {
    const file = new FileStore(join(outside, '1'), createHasher(sharedPool()));
    expect(await file.head(KEY, signal)).toBeUndefined();
    await expect(putBytes(file, KEY, Buffer.from('x'))).rejects.toMatchObject({ code: 'file-access' });
    expect(await keysBelow(file, null)).toEqual([]);
  });
});
