import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { storeKey } from '../../../server/artifacts/store-key';
import { ContentChanged } from '../../../server/pull/source';
import {
  bodyOf,
  CONTENT,
  DOCUMENT,
  documentOf,
  expectNothingLeft,
  fileOf,
  KEY,
  keysBelow,
  LIMIT,
  LONG,
  OTHER,
  putBytes,
  readObject,
  readPinned,
  type StoreUnderTest,
  signal,
  swapText,
  wanting
} from './store-under-test';

/** What every kind of store promises of reading an object in parts, and of cancelling. */
export function sourceConformance(kind: string, make: () => Promise<StoreUnderTest>): void {
  describe(kind, () => {
    let underTest: StoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      underTest = await make();
      store = underTest.open();
    });

    describe('sources', () => {
      it.each([
        [0, 1],
        [100_000, 200_000],
        [299_999, 300_000],
        [123_456, null]
      ])('send the bytes from %j up to %j and no more', async (start, end) => {
        await putBytes(store, KEY, CONTENT);
        const opening = await store.source(KEY).open(wanting({ start, end }));
        expect(opening).toMatchObject({ start, total: CONTENT.length, endsByClosing: false });
        expect((await bodyOf(opening)).equals(CONTENT.subarray(start, end ?? CONTENT.length))).toBe(true);
      });

      it('tell size and a validator with which a transfer goes on', async () => {
        const facts = await putBytes(store, KEY, CONTENT);
        const source = store.source(KEY, facts);
        expect(await source.probe(signal)).toMatchObject({ bytes: CONTENT.length, isExact: true });
        const { validator, body } = await source.open(wanting({ end: 5 }));
        expect(await bodyOf({ body })).toHaveLength(5);
        expect(validator).toEqual(expect.any(String));
        const rest = await source.open(wanting({ start: 5, validator }));
        expect((await bodyOf(rest)).equals(CONTENT.subarray(5))).toBe(true);
      });

      it('say so when the object was replaced between the look at it and the reading', async () => {
        const facts = await putBytes(store, KEY, CONTENT);
        await putBytes(store, KEY, OTHER);
        await expect(readPinned(store.source(KEY, facts))).rejects.toBeInstanceOf(ContentChanged);
        expect((await readObject(store.source(KEY))).equals(OTHER)).toBe(true);
      });

      it('never go on in the middle with another content', async () => {
        const source = store.source(KEY, await putBytes(store, KEY, CONTENT));
        const { validator, body } = await source.open(wanting({ end: 5 }));
        await bodyOf({ body });
        await putBytes(store, KEY, OTHER);
        await expect(readPinned(source, { start: 5, validator })).rejects.toBeInstanceOf(ContentChanged);
      });

      it('that nobody reads to the end hold nothing', async () => {
        await putBytes(store, KEY, CONTENT);
        const opening = await store.source(KEY).open(wanting({}));
        for await (const _ of opening.body) break;
        expect((await readObject(store.source(KEY))).equals(CONTENT)).toBe(true);
      });
    });

    describe('cancelling', () => {
      it('before anything is done does nothing', async () => {
        await putBytes(store, KEY, CONTENT);
        const version = await swapText(store, 'kept', null);
        const aborted = AbortSignal.abort();
        const works = [
          () => store.put(KEY, { kind: 'bytes', bytes: OTHER }, { signal: aborted }),
          () => store.head(KEY, aborted),
          () => store.read(KEY, { signal: aborted, limit: LIMIT }),
          () => store.copy(KEY, storeKey('copy'), aborted),
          () => store.delete(KEY, aborted),
          () => store.readDocument(DOCUMENT, { signal: aborted, limit: LIMIT }),
          () => store.swapDocument(DOCUMENT, Buffer.from('lost'), version ?? null, aborted),
          () => store.deleteDocument(DOCUMENT, aborted)
        ];
        for (const work of works) await expect(work()).rejects.toMatchObject({ code: 'cancelled' });
        expect(await documentOf(store)).toBe('kept');
        expect((await readObject(store.source(KEY))).equals(CONTENT)).toBe(true);
        expect(await keysBelow(store, null)).toHaveLength(2);
      });

      it('in the middle of a put leaves what was there before and nothing half', async () => {
        const file = await fileOf(LONG);
        await putBytes(store, KEY, CONTENT);
        const controller = new AbortController();
        const putting = store.put(KEY, file, { signal: controller.signal, onBytes: () => controller.abort() });
        await expect(putting).rejects.toMatchObject({ code: 'cancelled' });
        expect((await readObject(store.source(KEY))).equals(CONTENT)).toBe(true);
        await expectNothingLeft(underTest);
        await store.put(KEY, file, { signal });
        expect((await readObject(store.source(KEY))).equals(LONG)).toBe(true);
      });

      it('in the middle of a body ends it', async () => {
        await putBytes(store, KEY, LONG);
        const controller = new AbortController();
        const opening = await store.source(KEY).open(wanting({ signal: controller.signal }));
        const reading = (async () => {
          for await (const _ of opening.body) controller.abort();
        })();
        await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
      });
    });
  });
}
