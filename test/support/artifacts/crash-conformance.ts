import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { collectAttempts } from '../../../server/artifacts/publications/collect-attempts';
import { readIndex, refreshIndex } from '../../../server/artifacts/publications/publication-index';
import { withdraw } from '../../../server/artifacts/publications/withdraw';
import { storeKey } from '../../../server/artifacts/store-key';
import { contentsOf, objectKeys, publishedVersion, publishVersion } from './publications';
import { Stopped, StoppingStore } from './stopping-store';
import { type StoreUnderTest, signal } from './store-under-test';
import { TINY } from './team';

const DAY_MS = 24 * 3600 * 1000;

const OLD = 2;
const NEW = 3;

type Moment = 'before' | 'after';

interface CrashOptions {
  /** Whether the operation at which somebody dies is done; both unless said otherwise. */
  readonly moments?: readonly Moment[];
  /** At which operations somebody dies: each, or each second one and so on. */
  readonly stride?: number;
}

/** What a team store promises when publishers, and those who withdraw and collect, die at any operation. */
export function crashConformance(
  kind: string,
  make: () => Promise<StoreUnderTest>,
  { moments = ['before', 'after'], stride = 1 }: CrashOptions = {}
): void {
  describe(kind, () => {
    let underTest: StoreUnderTest;
    let store: ObjectStore;

    const begin = async (): Promise<void> => {
      underTest = await make();
      store = underTest.open();
      await publishVersion(store, OLD);
    };

    /** Has somebody die at each of their operations, one after the other; looks at what they left after each. */
    const atEveryOperation = async (
      when: Moment,
      work: (stopping: ObjectStore) => Promise<unknown>,
      look: () => Promise<void>
    ): Promise<number> => {
      for (let at = 1; ; at += stride) {
        await begin();
        const stopping = new StoppingStore(underTest.open(), { at, when });
        const end = await work(stopping).catch((error: unknown) => error);
        if (!stopping.isStopped) return at;
        expect(end).toBeInstanceOf(Stopped);
        await look();
      }
    };

    const collect = (now: number) => collectAttempts(underTest.open(), { dryRun: false, now, signal });

    /** Names of what a version consists of, each below one and the same attempt. */
    const expectNothingBut = async (version: number | undefined): Promise<void> => {
      const names = version === undefined ? [] : [...contentsOf(version).map(({ name }) => name), 'manifest.json'];
      const keys = (await objectKeys(store)).map((key) => key.split('/').slice(2).join('/'));
      expect(keys.toSorted()).toEqual(names.toSorted());
    };

    beforeEach(begin);

    it.each(moments)(
      'readers have the old or the new, whole, when a publisher dies %s any operation',
      { timeout: 240_000 },
      async (when) => {
        const seen = new Set<number | undefined>();
        const steps = await atEveryOperation(
          when,
          (stopping) => publishVersion(stopping, NEW),
          async () => {
            const version = await publishedVersion(store);
            expect([OLD, NEW]).toContain(version);
            seen.add(version);
            // What somebody may still be reading stays for seven days.
            const before = await objectKeys(store);
            await collect(Date.now() + 6 * DAY_MS);
            expect(await objectKeys(store)).toEqual(before);
            await collect(Date.now() + 8 * DAY_MS);
            await expectNothingBut(version);
            expect(await publishVersion(store, NEW)).toMatchObject({ isUnchanged: version === NEW });
            expect(await publishedVersion(store)).toBe(NEW);
            expect(await readIndex(store, signal)).toMatchObject([{ name: TINY, files: 3 }]);
          }
        );
        expect(steps).toBeGreaterThan(10);
        expect(seen).toEqual(new Set([OLD, NEW]));
      }
    );

    it.each(moments)(
      'readers have the old, whole, or nothing when whoever withdraws it dies %s any operation',
      { timeout: 240_000 },
      async (when) => {
        const steps = await atEveryOperation(
          when,
          async (stopping) => {
            await withdraw(stopping, TINY, Date.now(), signal);
            await refreshIndex(stopping, [TINY], signal);
          },
          async () => {
            expect([OLD, undefined]).toContain(await publishedVersion(store));
            await withdraw(store, TINY, Date.now(), signal);
            expect(await publishedVersion(store)).toBeUndefined();
            await expectNothingBut(undefined);
          }
        );
        expect(steps).toBeGreaterThan(5);
      }
    );

    it('a collection that dies at any operation takes nothing that is published', { timeout: 240_000 }, async () => {
      await atEveryOperation(
        'after',
        async (stopping) => {
          await publishVersion(store, NEW);
          await collectAttempts(stopping, { dryRun: false, now: Date.now() + 8 * DAY_MS, signal });
        },
        async () => {
          expect(await publishedVersion(store)).toBe(NEW);
          await collect(Date.now() + 8 * DAY_MS);
          await expectNothingBut(NEW);
        }
      );
    });

    it('of publishers of the same moment the last is published, and all others were', async () => {
      const versions = Array.from({ length: 16 }, (_, index) => index);
      await Promise.all(versions.map((version) => publishVersion(underTest.open(), version)));
      expect(versions).toContain(await publishedVersion(store));
      expect(await readIndex(store, signal)).toHaveLength(1);
      const { attempts } = await collect(Date.now() + 8 * DAY_MS);
      // That of the old version, and of all but the last of the others; one of them is the old version again.
      expect(attempts.length).toBeGreaterThanOrEqual(versions.length - 1);
      await expectNothingBut(await publishedVersion(store));
    });

    it('a collection leaves alone what is no attempt of a publisher', async () => {
      const foreign = [
        storeKey('photos', '2020', 'cat.png'),
        storeKey('tiny', { reserved: '_resume' }, 'images', 'a.png'),
        storeKey('notes.txt')
      ];
      for (const key of foreign) await store.put(key, { kind: 'bytes', bytes: Buffer.from('mine') }, { signal });
      await collect(Date.now() + 100 * DAY_MS);
      expect(await objectKeys(store)).toEqual(expect.arrayContaining(foreign));
      expect(await publishedVersion(store)).toBe(OLD);
    });
  });
}
