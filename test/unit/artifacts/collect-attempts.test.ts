import { beforeEach, expect, it } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { collectAttempts } from '../../../server/artifacts/publications/collect-attempts';
import { MemoryStore } from '../../support/artifacts/memory-store';
import { objectKeys, publishedVersion, publishVersion } from '../../support/artifacts/publications';
import { signal } from '../../support/artifacts/store-under-test';

const DAY_MS = 24 * 3600 * 1000;

let store: MemoryStore;

beforeEach(async () => {
  store = new MemoryStore();
  await publishVersion(store, 1);
  await publishVersion(store, 2);
});

/** Collects so many days from now. */
const collect = (from: ObjectStore, days: number) =>
  collectAttempts(from, { dryRun: false, now: Date.now() + days * DAY_MS, signal });

it('what was replaced is removed after seven days, and not before', async () => {
  expect(await collect(store, 6)).toMatchObject({ attempts: [], recent: 1 });
  expect(await collect(store, 8)).toMatchObject({ attempts: [{ objects: 4 }], recent: 0 });
  expect(await publishedVersion(store)).toBe(2);
});

it('nothing is removed of which the store does not tell since when it is there', async () => {
  const timeless: ObjectStore = Object.assign(Object.create(store) as MemoryStore, {
    async *list(...asked: Parameters<ObjectStore['list']>) {
      for await (const object of store.list(...asked)) yield { ...object, changedAtUnixMs: Number.NaN };
    }
  });
  const before = await objectKeys(store);
  expect(await collect(timeless, 8)).toMatchObject({ attempts: [], recent: 1 });
  expect(await objectKeys(store)).toEqual(before);
});
