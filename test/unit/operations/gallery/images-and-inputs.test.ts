import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ImageInputs } from '../../../../server/gallery/image-inputs';
import { FileImageStore, type StoredImage } from '../../../../server/gallery/images';
import { digestOf } from '../../../../server/gallery/incoming-image';
import { deleteImages } from '../../../../server/operations/gallery/delete-images';
import { exportImage } from '../../../../server/operations/gallery/export-image';
import { temporaryFolder } from '../../../support/temporary-folder';
import { description } from '../../gallery/image-store.suite';
import { soundPng } from '../../gallery/png-bytes';

const INPUT = Buffer.from('what it was made from');

/** A gallery that counts the descriptions that are read. */
class CountingStore extends FileImageStore {
  descriptionsRead = 0;

  override get(id: string): Promise<StoredImage> {
    this.descriptionsRead += 1;
    return super.get(id);
  }
}

let now: number;
let services: { readonly images: CountingStore; readonly imageInputs: ImageInputs };

beforeEach(async () => {
  const root = await temporaryFolder();
  now = Date.now();
  services = { images: new CountingStore(root), imageInputs: new ImageInputs(join(root, 'inputs'), () => now) };
});

/** An image of the gallery, made from the input. */
async function made(bytes: Buffer): Promise<StoredImage> {
  const digest = digestOf(INPUT);
  await services.imageInputs.keepBytes(digest, INPUT);
  const inputs = [{ field: 'init_image' as const, digest, name: 'in.png' }];
  return services.images.put({ bytes }, { ...description, inputs });
}

const sidecarOf = ({ path, id }: StoredImage) => join(path, '..', `${id}.json`);

/** Deletes images, one after the other. */
const deleteAll = (...prefixes: readonly string[]) =>
  deleteImages(services, async (deleteImage) => {
    for (const prefix of prefixes) await deleteImage(prefix);
  });

const isInputKept = () => services.imageInputs.isIntact(digestOf(INPUT));

/** Longer than an input is kept for an image that may be on its way. */
const aDayPasses = () => {
  now += 24 * 3600 * 1000;
};

const other = () => Buffer.concat([soundPng(), Buffer.from('other')]);

describe('deleting an image', () => {
  it('removes what it was made from, unless another image was made from it too', async () => {
    const [one, two] = [await made(soundPng()), await made(other())];
    aDayPasses();
    await deleteAll(one.id);
    expect(await isInputKept()).toBe(true);
    await deleteAll(two.id);
    expect(await isInputKept()).toBe(false);
  });

  it('reads what is left once, however many are deleted, and removes what the last of them was made from', async () => {
    const kept = await services.images.put({ bytes: soundPng('kept') }, description);
    const ids: string[] = [];
    for (let number = 0; number < 5; number += 1) ids.push((await made(soundPng(String(number)))).id);
    aDayPasses();
    services.images.descriptionsRead = 0;
    await deleteAll(...ids.map((id) => id.slice(0, 12)));
    expect(services.images.descriptionsRead).toBe(1);
    expect(await isInputKept()).toBe(false);
    expect(await services.images.list()).toMatchObject([{ image: { id: kept.id } }]);
  });

  it('removes what it was made from although another one cannot be deleted', async () => {
    const { id } = await made(soundPng());
    aDayPasses();
    const gone = await deleteImages(services, async (deleteImage) => {
      await expect(deleteImage('f'.repeat(64))).rejects.toMatchObject({ code: 'image-missing' });
      return deleteImage(id);
    });
    expect(gone).toBe(id);
    expect(await isInputKept()).toBe(false);
  });

  it('keeps what another image may have been made from whose description cannot be looked at', async () => {
    const [one, two] = [await made(soundPng()), await made(other())];
    aDayPasses();
    const sidecar = sidecarOf(two);
    const text = await readFile(sidecar);
    // In the place of a file that is there but not to be read, whoever asks.
    await rm(sidecar);
    await mkdir(sidecar);
    await deleteAll(one.id);
    await rm(sidecar, { recursive: true });
    await writeFile(sidecar, text);
    expect(await isInputKept()).toBe(true);
  });
});

describe('exporting an image', () => {
  it('leaves nothing behind when its description cannot be written, so that it can be tried again', async () => {
    const { id } = await made(soundPng());
    const folder = await temporaryFolder();
    const taken = join(folder, `${id.slice(0, 16)}.json`);
    await writeFile(taken, 'mine');
    await expect(exportImage(services, id, folder)).rejects.toMatchObject({ code: 'file-access', subject: taken });
    expect(await readdir(folder)).toEqual([`${id.slice(0, 16)}.json`]);
    await rm(taken);
    await exportImage(services, id, folder);
    expect((await readdir(folder)).toSorted()).toEqual([`${id.slice(0, 16)}.json`, `${id.slice(0, 16)}.png`]);
  });

  it('replaces no image that lies there already', async () => {
    const { id } = await made(soundPng());
    const folder = await temporaryFolder();
    const taken = join(folder, `${id.slice(0, 16)}.png`);
    await writeFile(taken, 'mine');
    await expect(exportImage(services, id, folder)).rejects.toMatchObject({ code: 'file-access', subject: taken });
    expect(await readFile(taken, 'utf8')).toBe('mine');
  });
});
