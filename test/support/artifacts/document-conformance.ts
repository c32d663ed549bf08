import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { storeKey } from '../../../server/artifacts/store-key';
import {
  asText,
  DOCUMENT,
  documentOf,
  expectNothingLeft,
  keysBelow,
  LIMIT,
  ODD_NAMES,
  type StoreUnderTest,
  signal,
  swapText
} from './store-under-test';

/** What every kind of store promises of documents. */
export function documentConformance(kind: string, make: () => Promise<StoreUnderTest>): void {
  describe(kind, () => {
    let underTest: StoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      underTest = await make();
      store = underTest.open();
    });

    describe('documents', () => {
      it('are written once and then only by who has read them', async () => {
        expect(await documentOf(store)).toBeUndefined();
        expect(await swapText(store, 'too early', 'some version')).toBeUndefined();
        const first = await swapText(store, 'first', null);
        expect(first).toEqual(expect.any(String));
        expect(await swapText(store, 'again', null)).toBeUndefined();
        const second = await swapText(store, 'second', first ?? '');
        expect(second).not.toBe(first);
        expect(await swapText(store, 'from the first', first ?? '')).toBeUndefined();
        store = underTest.open();
        expect(await store.readDocument(DOCUMENT, { signal, limit: 6 })).toEqual({
          bytes: Buffer.from('second'),
          version: second
        });
      });

      it('that are larger than a reader takes are refused with their name', async () => {
        await swapText(store, 'twelve bytes', null);
        await expect(store.readDocument(DOCUMENT, { signal, limit: 11 })).rejects.toMatchObject({
          code: 'size-mismatch',
          subject: expect.stringContaining(DOCUMENT)
        });
      });

      it('are changed by exactly one of many in every round', async () => {
        const stores = Array.from({ length: 8 }, () => underTest.open());
        let version: string | null = null;
        for (let round = 0; round < 25; round += 1) {
          const previous: string | null = version;
          const outcomes: readonly (string | undefined)[] = await Promise.all(
            stores.map((one, index) =>
              one.swapDocument(DOCUMENT, Buffer.from(`${round} by ${index}`), previous, signal)
            )
          );
          const winners = outcomes.flatMap((outcome, index) => (outcome === undefined ? [] : [index]));
          expect(winners).toHaveLength(1);
          expect(await documentOf(store)).toBe(`${round} by ${winners[0]}`);
          version = outcomes[winners[0] ?? 0] ?? null;
        }
      });

      it('lose nothing of what many add to them', async () => {
        const lines = Array.from({ length: 6 }, (_, writer) => [0, 1, 2, 3].map((line) => `${writer}-${line}`));
        await Promise.all(
          lines.map(async (own) => {
            const one = underTest.open();
            for (const line of own) await add(one, line);
          })
        );
        expect((await documentOf(store))?.trim().split('\n').toSorted()).toEqual(lines.flat().toSorted());
        await expectNothingLeft(underTest);
      });

      it('are deleted as often as wanted, and nobody goes on with a deleted one', async () => {
        await store.deleteDocument(DOCUMENT, signal);
        const version = await swapText(store, 'first', null);
        await store.deleteDocument(DOCUMENT, signal);
        await store.deleteDocument(DOCUMENT, signal);
        expect(await documentOf(store)).toBeUndefined();
        expect(await swapText(store, 'late', version ?? '')).toBeUndefined();
        expect(await keysBelow(store, null)).toEqual([]);
        await swapText(store, 'anew', null);
        expect(await documentOf(store)).toBe('anew');
      });

      it('may be of any name', async () => {
        const keys = ODD_NAMES.map((name) => storeKey('documents', name));
        for (const [index, key] of keys.entries()) await swapText(store, `${index}`, null, key);
        for (const [index, key] of keys.entries()) expect(await documentOf(store, key), key).toBe(`${index}`);
      });
    });
  });
}

/** Adds a line, again and again until nobody came between. */
async function add(store: ObjectStore, line: string): Promise<void> {
  for (;;) {
    const current = await store.readDocument(DOCUMENT, { signal, limit: LIMIT });
    if (await swapText(store, `${asText(current) ?? ''}${line}\n`, current?.version ?? null)) return;
  }
}
