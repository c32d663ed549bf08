import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { storeKey } from '../../../server/artifacts/store-key';
import { sampleBytes } from '../sample-bytes';
import {
  asText,
  bodyOf,
  CONTENT,
  expectNothingLeft,
  fileOf,
  KEY,
  keysBelow,
  LIMIT,
  ODD_NAMES,
  OTHER,
  putBytes,
  readObject,
  type StoreUnderTest,
  signal,
  swapText,
  textOf,
  wanting
} from './store-under-test';

/** What every kind of store promises of objects. */
export function objectConformance(kind: string, make: () => Promise<StoreUnderTest>): void {
  describe(kind, () => {
    let underTest: StoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      underTest = await make();
      store = underTest.open();
    });

    describe('objects', () => {
      it('are read as they were put, here and after reopening', async () => {
        const facts = await putBytes(store, KEY, CONTENT);
        expect(facts.bytes).toBe(CONTENT.length);
        for (const reader of [store, underTest.open()]) {
          expect(await reader.head(KEY, signal)).toEqual(facts);
          const found = await reader.read(KEY, { signal, limit: CONTENT.length });
          expect(found?.version).toBe(facts.version);
          expect(CONTENT.equals(found?.bytes ?? Buffer.alloc(0))).toBe(true);
        }
      });

      it('may be without a byte', async () => {
        expect((await putBytes(store, KEY, Buffer.alloc(0))).bytes).toBe(0);
        expect(await textOf(store, KEY)).toBe('');
        expect(await readObject(store.source(KEY))).toHaveLength(0);
      });

      it('come from files, and tell how much of them is sent', async () => {
        const sent: number[] = [];
        const facts = await store.put(KEY, await fileOf(CONTENT), { signal, onBytes: (bytes) => sent.push(bytes) });
        expect(facts).toEqual(await store.head(KEY, signal));
        expect((await readObject(store.source(KEY))).equals(CONTENT)).toBe(true);
        expect(sent.at(-1)).toBe(CONTENT.length);
        expect(Math.max(...sent)).toBe(CONTENT.length);
      });

      it('are not put from a file that is shorter, longer or gone', async () => {
        const file = await fileOf(CONTENT);
        for (const bytes of [CONTENT.length - 1, CONTENT.length + 1]) {
          await expect(store.put(KEY, { ...file, bytes }, { signal })).rejects.toMatchObject({
            code: 'digest-mismatch',
            subject: file.path
          });
        }
        await expect(store.put(KEY, { ...file, path: `${file.path}-gone` }, { signal })).rejects.toMatchObject({
          code: 'file-access'
        });
        expect(await store.head(KEY, signal)).toBeUndefined();
        await expectNothingLeft(underTest);
      });

      it('are replaced as a whole, under another version', async () => {
        const first = await putBytes(store, KEY, CONTENT);
        const second = await putBytes(store, KEY, OTHER);
        expect(second.version).not.toBe(first.version);
        expect(await store.head(KEY, signal)).toEqual(second);
        expect((await readObject(store.source(KEY))).equals(OTHER)).toBe(true);
      });

      it('that are not there are told so', async () => {
        expect(await store.head(KEY, signal)).toBeUndefined();
        expect(await store.read(KEY, { signal, limit: LIMIT })).toBeUndefined();
        expect(await store.locate?.(KEY)).toBeUndefined();
        const missing = { code: 'object-missing', subject: expect.stringContaining(KEY) };
        await expect(store.source(KEY).open(wanting({}))).rejects.toMatchObject(missing);
        await expect(store.source(KEY).probe(signal)).rejects.toMatchObject(missing);
      });

      it('that are larger than a reader takes are refused with their name', async () => {
        await putBytes(store, KEY, CONTENT);
        await expect(store.read(KEY, { signal, limit: CONTENT.length - 1 })).rejects.toMatchObject({
          code: 'size-mismatch',
          subject: expect.stringContaining(KEY)
        });
      });

      it('of every name are apart from each other', async () => {
        const keys = ODD_NAMES.map((name) => storeKey('odd names', name));
        await Promise.all(keys.map((key, index) => putBytes(store, key, Buffer.from(`content ${index}`))));
        const again = underTest.open();
        for (const [index, key] of keys.entries()) {
          expect(asText(await again.read(key, { signal, limit: 100 })), key).toBe(`content ${index}`);
        }
        expect(await keysBelow(store, storeKey('odd names'))).toEqual([...keys].toSorted());
      });

      it('put by many at the same time are those of one of them, whole', async () => {
        const contents = Array.from({ length: 8 }, (_, index) => sampleBytes(100_000 + index, 10 + index));
        await Promise.all(contents.map((bytes) => putBytes(store, KEY, bytes)));
        const found = await readObject(store.source(KEY));
        expect(contents.some((bytes) => bytes.equals(found))).toBe(true);
        await expectNothingLeft(underTest);
      });
    });

    describe('copies', () => {
      const COPY = storeKey('tiny', 'attempt-2', 'weights.gguf');

      it('are objects of their own', async () => {
        await putBytes(store, KEY, CONTENT);
        expect(await store.copy(KEY, COPY, signal)).toBe(true);
        await putBytes(store, KEY, OTHER);
        expect((await readObject(store.source(COPY))).equals(CONTENT)).toBe(true);
        expect(await store.copy(KEY, COPY, signal)).toBe(true);
        await store.delete(KEY, signal);
        expect((await readObject(store.source(COPY))).equals(OTHER)).toBe(true);
      });

      it('onto themselves and onto their like change nothing', async () => {
        await putBytes(store, KEY, CONTENT);
        for (const target of [KEY, COPY, COPY]) expect(await store.copy(KEY, target, signal)).toBe(true);
        for (const key of [KEY, COPY]) expect((await readObject(store.source(key))).equals(CONTENT)).toBe(true);
        await expectNothingLeft(underTest);
      });

      it('do not disturb who is reading the original', async () => {
        const facts = await putBytes(store, KEY, CONTENT);
        const source = store.source(KEY, facts);
        const { validator } = await source.open(wanting({ end: 5 }));
        await store.copy(KEY, COPY, signal);
        expect((await bodyOf(await source.open(wanting({ start: 5, validator })))).equals(CONTENT.subarray(5))).toBe(
          true
        );
      });

      it('of what is not there are not made, and said not to be', async () => {
        expect(await store.copy(KEY, COPY, signal)).toBe(false);
        expect(await store.head(COPY, signal)).toBeUndefined();
      });

      it('of odd names arrive under odd names', async () => {
        const names = ['重み %2F +.gguf', 'Weights~@', 'x'.repeat(300)];
        for (const name of names) {
          await putBytes(store, storeKey('from', name), Buffer.from(name));
          expect(await store.copy(storeKey('from', name), storeKey('to', name), signal)).toBe(true);
          expect(await textOf(store, storeKey('to', name))).toBe(name);
        }
      });
    });

    describe('deletion', () => {
      it('removes one object and can be repeated', async () => {
        const beside = storeKey('tiny', 'attempt-1', 'vae.gguf');
        await putBytes(store, KEY, CONTENT);
        await putBytes(store, beside, OTHER);
        for (let time = 0; time < 2; time += 1) await store.delete(KEY, signal);
        expect(await store.head(KEY, signal)).toBeUndefined();
        expect(await keysBelow(store, null)).toEqual([beside]);
        await store.delete(storeKey('never', 'there'), signal);
      });

      it('of everything leaves room for the same names again, also while others write', async () => {
        for (let round = 0; round < 10; round += 1) {
          const key = storeKey('tiny', 'attempt', `file-${round}`);
          await putBytes(store, key, CONTENT.subarray(0, 10));
          const writing = putBytes(store, storeKey('tiny', 'attempt', 'other'), Buffer.from(`${round}`));
          await Promise.all([store.delete(key, signal), writing]);
          expect(await textOf(store, storeKey('tiny', 'attempt', 'other'))).toBe(`${round}`);
          await store.delete(storeKey('tiny', 'attempt', 'other'), signal);
        }
        expect(await keysBelow(store, null)).toEqual([]);
      });
    });

    describe('lists', () => {
      it('name every object and document below a key, and nothing beside it', async () => {
        const names = [['a', 'one'], ['a', 'b', 'two'], ['ab', 'three'], ['A', 'four'], ['five']];
        for (const segments of names) await putBytes(store, storeKey(...segments), Buffer.from(segments.join()));
        await swapText(store, '{}', null, storeKey('a', { reserved: '_current.json' }));
        expect(await keysBelow(store, storeKey('a'))).toEqual(['a/_current.json', 'a/b/two', 'a/one']);
        expect(await keysBelow(store, storeKey('A'))).toEqual(['A/four']);
        expect(await keysBelow(store, storeKey('nothing'))).toEqual([]);
        expect(await keysBelow(store, null)).toHaveLength(names.length + 1);
      });

      it('tell size and age', async () => {
        const before = Date.now();
        await putBytes(store, KEY, CONTENT);
        await swapText(store, 'twelve bytes', null);
        const found = new Map<string, { bytes: number; changedAtUnixMs: number }>();
        for await (const { key, ...facts } of store.list(null, signal)) found.set(key, facts);
        expect(found.get(KEY)?.bytes).toBe(CONTENT.length);
        expect(found.get('tiny/_current.json')?.bytes).toBe(12);
        for (const { changedAtUnixMs } of found.values()) {
          // Clocks of servers tell whole seconds only, and may be a little off.
          expect(Math.abs(changedAtUnixMs - before)).toBeLessThan(60_000);
        }
      });

      it('go beyond what is told at once', async () => {
        const keys = Array.from({ length: 30 }, (_, index) => storeKey('many', `file-${index}`));
        await Promise.all(keys.map((key) => putBytes(store, key, Buffer.from('x'))));
        expect(await keysBelow(store, storeKey('many'))).toEqual(keys.map(String).toSorted());
      });
    });
  });
}
