import { beforeEach, describe, expect, it } from 'vitest';
import type { ImageStore } from '../../../server/gallery/images';
import type { ImageDescription } from '../../../server/gallery/sidecar';
import { parseDigest } from '../../../shared/digest';
import { aviFile } from '../../support/avi-file';
import { soundPng } from './png-bytes';

/** A kind of store with its means of damage. */
export interface StoreHarness {
  /** Opens the store; the second time it is the same one reopened. */
  open(): ImageStore;
  removeImage(id: string): Promise<void>;
  /** @param text undefined: the sidecar is removed */
  writeSidecar(id: string, text: string | undefined): Promise<void>;
}

export const description: ImageDescription = {
  width: 3,
  height: 2,
  label: 'a lighthouse',
  created_at_unix_ms: 1_700_000_000_000,
  request: { prompt: 'a lighthouse', steps: 4, width: 64, height: 64, later_setting: true },
  seed: 42,
  model: { name: 'tiny-sd1', digests: { 'model.gguf': parseDigest('a'.repeat(64))! } },
  engine: { version: 'stable-diffusion.cpp version master-827-97d2990, commit 97d29908' }
};

const unknownId = 'b'.repeat(64);

/** The promises that every kind of image store keeps. */
export function imageStoreSuite(kind: string, makeHarness: () => Promise<StoreHarness>): void {
  describe.each(['in the same session', 'after reopening'])(`${kind}, read %s`, (when) => {
    let harness: StoreHarness;
    let store: ImageStore;

    beforeEach(async () => {
      harness = await makeHarness();
      store = harness.open();
    });

    /** The store as the reader of the test has it. */
    const reader = () => (when === 'after reopening' ? harness.open() : store);

    it('gives back the bytes and the whole sidecar under the digest of the bytes', async () => {
      const bytes = soundPng();
      const { id } = await store.put({ bytes }, description);
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      const stored = await reader().get(id);
      expect(stored.sidecar).toEqual({ ...description, media_type: 'image/png', byte_length: bytes.length });
      expect(Buffer.from(await reader().read(id))).toEqual(bytes);
    });

    it('keeps a video as what it is', async () => {
      const bytes = aviFile({ frames: 3 });
      const { id, path } = await store.put({ bytes }, { ...description, frames: 3, fps: 16 });
      const stored = await reader().get(id);
      expect(stored.sidecar).toMatchObject({ media_type: 'video/x-msvideo', frames: 3, fps: 16 });
      expect(stored.path).toBe(path);
      expect(Buffer.from(await reader().read(id))).toEqual(bytes);
      expect(await reader().list()).toMatchObject([{ kind: 'whole', image: { id } }]);
      await reader().delete(id);
      expect(await reader().list()).toEqual([]);
    });

    it('keeps different images apart', async () => {
      const [one, two] = [
        await store.put({ bytes: soundPng('one') }, description),
        await store.put({ bytes: soundPng('two') }, { ...description, seed: 43 })
      ];
      expect(one.id).not.toBe(two.id);
      expect((await reader().get(two.id)).sidecar.seed).toBe(43);
      expect((await reader().get(one.id)).sidecar.seed).toBe(42);
    });

    it('rewrites only the sidecar when the same bytes come again', async () => {
      const first = await store.put({ bytes: soundPng() }, description);
      const second = await store.put({ bytes: soundPng() }, { ...description, label: 'renamed' });
      expect(second).toMatchObject({ id: first.id, path: first.path });
      expect((await reader().get(first.id)).sidecar.label).toBe('renamed');
    });

    it('is not changed by what becomes of the bytes that were handed in', async () => {
      const bytes = soundPng();
      const { id } = await store.put({ bytes }, description);
      bytes.fill(0);
      expect(Buffer.from(await reader().read(id))).toEqual(soundPng());
    });

    it('tells a missing image from a missing and from an unreadable sidecar', async () => {
      const { id } = await store.put({ bytes: soundPng() }, description);
      for (const text of ['', '{', '[]', '{"media_type":"image/png"}']) {
        await harness.writeSidecar(id, text);
        await expect(reader().get(id)).rejects.toMatchObject({ code: 'image-sidecar-unreadable', subject: id });
      }
      await harness.writeSidecar(id, undefined);
      await expect(reader().get(id)).rejects.toMatchObject({ code: 'image-sidecar-missing', subject: id });
      expect(Buffer.from(await reader().read(id))).toEqual(soundPng());
      await harness.removeImage(id);
      await expect(reader().get(id)).rejects.toMatchObject({ code: 'image-missing', subject: id });
    });

    it('calls an image missing although its sidecar is there', async () => {
      const { id } = await store.put({ bytes: soundPng() }, description);
      await harness.removeImage(id);
      await expect(reader().get(id)).rejects.toMatchObject({ code: 'image-missing' });
      await expect(reader().read(id)).rejects.toMatchObject({ code: 'image-missing' });
    });

    it('repairs what is missing when the same bytes come again', async () => {
      const { id } = await store.put({ bytes: soundPng() }, description);
      await harness.removeImage(id);
      await harness.writeSidecar(id, undefined);
      await store.put({ bytes: soundPng() }, description);
      expect((await reader().get(id)).sidecar.seed).toBe(42);
    });

    it('lists every image, and what is left of one with the reason', async () => {
      const texts = ['whole', 'without sidecar', 'with a broken one', 'gone'];
      const ids: string[] = [];
      for (const text of texts) ids.push((await store.put({ bytes: soundPng(text) }, description)).id);
      await harness.writeSidecar(ids[1]!, undefined);
      await harness.writeSidecar(ids[2]!, '{');
      await harness.removeImage(ids[3]!);
      const listed = await reader().list();
      const states = listed.map((entry): [string, string] =>
        entry.kind === 'whole' ? [entry.image.id, 'whole'] : [entry.id, entry.failure.code]
      );
      expect(new Map(states)).toEqual(
        new Map([
          [ids[0], 'whole'],
          [ids[1], 'image-sidecar-missing'],
          [ids[2], 'image-sidecar-unreadable'],
          [ids[3], 'image-missing']
        ])
      );
    });

    it('finds ids by their beginning, also of what is left of an image', async () => {
      const ids: string[] = [];
      for (let number = 0; number < 40; number += 1) {
        ids.push((await store.put({ bytes: soundPng(String(number)) }, description)).id);
      }
      await harness.writeSidecar(ids[0]!, undefined);
      await harness.removeImage(ids[1]!);
      for (const id of ids) {
        expect(await reader().idsFrom(id.slice(0, 12))).toEqual([id]);
        const alike = ids.filter((other) => other.startsWith(id.slice(0, 2)));
        expect((await reader().idsFrom(id.slice(0, 2))).toSorted()).toEqual(alike.toSorted());
      }
      expect(await reader().idsFrom(unknownId)).toEqual([]);
    });

    it('deletes an image with its sidecar, and what is left of one', async () => {
      const [one, two] = [
        await store.put({ bytes: soundPng('one') }, description),
        await store.put({ bytes: soundPng('two') }, description)
      ];
      await harness.removeImage(two.id);
      await store.delete(one.id);
      await store.delete(two.id);
      expect(await reader().list()).toEqual([]);
      await expect(reader().delete(one.id)).rejects.toMatchObject({ code: 'image-missing' });
    });

    it('reads the sidecars of earlier versions and keeps all that those of today say', async () => {
      const whole: ImageDescription = {
        ...description,
        model: { ...description.model, roles: { 'model.gguf': 'model' } },
        engine: { ...description.engine, digest: parseDigest('c'.repeat(64))! },
        mode: 'image-to-image',
        inputs: [{ field: 'init_image', digest: parseDigest('d'.repeat(64))!, name: 'photo.png' }],
        milliseconds: 1234
      };
      const old = await store.put({ bytes: soundPng('old') }, description);
      const { id } = await store.put({ bytes: soundPng() }, whole);
      expect((await reader().get(id)).sidecar).toMatchObject(whole);
      expect((await reader().get(old.id)).sidecar.inputs).toBeUndefined();
    });

    it.each([unknownId, '../../../etc/passwd', '', unknownId.slice(1)])('has no image %j', async (id) => {
      await expect(reader().get(id)).rejects.toMatchObject({ code: 'image-missing' });
      await expect(reader().read(id)).rejects.toMatchObject({ code: 'image-missing' });
    });
  });
}
