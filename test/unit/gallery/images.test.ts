import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileImageStore } from '../../../server/gallery/images';
import { type ImageMemory, MemoryImageStore } from '../../../server/gallery/memory-images';
import { description, imageStoreSuite, type StoreHarness } from './image-store.suite';
import { soundPng } from './png-bytes';

let home: string;
let root: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
});

beforeEach(async () => {
  root = join(await mkdtemp(join(home, 'gallery-')), 'images');
});

afterAll(() => rm(home, { recursive: true }));

const pathOf = (folder: string, name: string) => join(folder, 'sha256', name.slice(0, 2), name);

imageStoreSuite('the file store', async (): Promise<StoreHarness> => {
  const folder = await mkdtemp(join(home, 'suite-'));
  return {
    open: () => new FileImageStore(folder),
    removeImage: (id) => rm(pathOf(folder, `${id}.png`)),
    writeSidecar: (id, text) =>
      text === undefined ? rm(pathOf(folder, `${id}.json`)) : writeFile(pathOf(folder, `${id}.json`), text)
  };
});

imageStoreSuite('the memory store', async (): Promise<StoreHarness> => {
  const memory: ImageMemory = { images: new Map(), sidecars: new Map() };
  return {
    open: () => new MemoryImageStore(memory),
    removeImage: async (id) => void memory.images.delete(id),
    writeSidecar: async (id, text) =>
      text === undefined ? void memory.sidecars.delete(id) : void memory.sidecars.set(id, text)
  };
});

describe('the file store', () => {
  it('lays out an image as a PNG with its sidecar beside it, and nothing else', async () => {
    const { id, path } = await new FileImageStore(root).put({ bytes: soundPng() }, description);
    expect(path).toBe(pathOf(root, `${id}.png`));
    expect((await readdir(join(root, 'sha256', id.slice(0, 2)))).toSorted()).toEqual([`${id}.json`, `${id}.png`]);
    const text = await readFile(pathOf(root, `${id}.json`), 'utf8');
    expect(Object.keys(JSON.parse(text) as object)).toEqual(
      [
        ['media_type', 'byte_length', 'width', 'height', 'label', 'created_at_unix_ms'],
        ['request', 'seed', 'model', 'engine']
      ].flat()
    );
  });

  it('does not touch the file of an image that comes again', async () => {
    const store = new FileImageStore(root);
    const { path } = await store.put({ bytes: soundPng() }, description);
    const before = await stat(path, { bigint: true });
    await store.put({ bytes: soundPng() }, { ...description, label: 'renamed' });
    const after = await stat(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it('writes an image again that was damaged meanwhile', async () => {
    const store = new FileImageStore(root);
    const { id, path } = await store.put({ bytes: soundPng() }, description);
    await writeFile(path, 'damaged');
    await store.put({ bytes: soundPng() }, description);
    expect(Buffer.from(await store.read(id))).toEqual(soundPng());
  });

  it('takes a file and leaves it where it is', async () => {
    const source = join(home, 'source.png');
    await writeFile(source, soundPng('file'));
    const { id } = await new FileImageStore(root).put({ path: source }, description);
    expect(Buffer.from(await new FileImageStore(root).read(id))).toEqual(await readFile(source));
  });

  it('says that there is no file to take', async () => {
    const storing = new FileImageStore(root).put({ path: join(home, 'nosuch.png') }, description);
    await expect(storing).rejects.toMatchObject({ code: 'bad-image' });
  });

  it.skipIf(process.platform === 'win32')('says what keeps it from finding, reading and deleting', async () => {
    const id = 'ab'.padEnd(64, '0');
    await mkdir(join(root, 'sha256'), { recursive: true });
    await symlink('ab', join(root, 'sha256', 'ab'));
    const store = new FileImageStore(root);
    const failure = { code: 'file-access', message: 'The gallery cannot be read. Its links lead in a circle.' };
    await expect(store.get(id)).rejects.toMatchObject(failure);
    await expect(store.read(id)).rejects.toMatchObject(failure);
    await expect(store.delete(id)).rejects.toMatchObject(failure);
  });

  it('says what keeps it from storing, and leaves nothing behind', async () => {
    await writeFile(root, 'a file in the way');
    const storing = new FileImageStore(root).put({ bytes: soundPng() }, description);
    await expect(storing).rejects.toMatchObject({ code: 'file-access' });
    expect(await readFile(root, 'utf8')).toBe('a file in the way');
  });
});
