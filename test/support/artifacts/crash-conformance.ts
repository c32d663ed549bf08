import { describe, expect, it } from 'vitest';
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

/** How many die side by side, each with a store of its own: while one waits for an answer, others go on. */
const LANES = 3;

/** A store in which the old version is published. */
interface Scene {
  /** Opens it once more. */
  readonly open: () => ObjectStore;
  readonly store: ObjectStore;
}

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
  const begin = async (): Promise<Scene> => {
    const underTest = await make();
    const store = underTest.open();
    await publishVersion(store, OLD);
    return { open: () => underTest.open(), store };
  };

  /** Has somebody die at each of their operations; looks at what they left after each. */
  const atEveryOperation = async (
    when: Moment,
    work: (stopping: ObjectStore, scene: Scene) => Promise<unknown>,
    look: (scene: Scene) => Promise<void>
  ): Promise<number> => {
    let next = 1;
    const survivors: number[] = [];
    const lane = async (): Promise<void> => {
      while (survivors.length === 0) {
        const at = next;
        next += stride;
        const scene = await begin();
        const stopping = new StoppingStore(scene.open(), { at, when });
        const end = await work(stopping, scene).catch((error: unknown) => error);
        if (!stopping.isStopped) return void survivors.push(at);
        expect(end).toBeInstanceOf(Stopped);
        await look(scene);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return Math.min(...survivors);
  };

  describe(kind, () => {
    it.each(moments)(
      'readers have the old or the new, whole, when a publisher dies %s any operation',
      { timeout: 240_000 },
      async (when) => {
        const seen = new Set<number | undefined>();
        const steps = await atEveryOperation(
          when,
          (stopping) => publishVersion(stopping, NEW),
          async (scene) => {
            const { store } = scene;
            const version = await publishedVersion(store);
            expect([OLD, NEW]).toContain(version);
            seen.add(version);
            // What somebody may still be reading stays for seven days.
            const before = await objectKeys(store);
            await collect(scene, Date.now() + 6 * DAY_MS);
            expect(await objectKeys(store)).toEqual(before);
            await collect(scene, Date.now() + 8 * DAY_MS);
            await expectNothingBut(scene, version);
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
          async (scene) => {
            const { store } = scene;
            expect([OLD, undefined]).toContain(await publishedVersion(store));
            await withdraw(store, TINY, Date.now(), signal);
            expect(await publishedVersion(store)).toBeUndefined();
            await expectNothingBut(scene, undefined);
          }
        );
        expect(steps).toBeGreaterThan(5);
      }
    );

    it('a collection that dies at any operation takes nothing that is published', { timeout: 240_000 }, async () => {
      await atEveryOperation(
        'after',
        async (stopping, { store }) => {
          await publishVersion(store, NEW);
          await collectAttempts(stopping, { dryRun: false, now: Date.now() + 8 * DAY_MS, signal });
        },
        async (scene) => {
          expect(await publishedVersion(scene.store)).toBe(NEW);
          await collect(scene, Date.now() + 8 * DAY_MS);
          await expectNothingBut(scene, NEW);
        }
      );
    });

    it('of publishers of the same moment the last is published, and all others were', async () => {
      const scene = await begin();
      const { open, store } = scene;
      const versions = Array.from({ length: 16 }, (_, index) => index);
      await Promise.all(versions.map((version) => publishVersion(open(), version)));
      expect(versions).toContain(await publishedVersion(store));
      expect(await readIndex(store, signal)).toHaveLength(1);
      const { attempts } = await collect(scene, Date.now() + 8 * DAY_MS);
      // That of the old version, and of all but the last of the others; one of them is the old version again.
      expect(attempts.length).toBeGreaterThanOrEqual(versions.length - 1);
      await expectNothingBut(scene, await publishedVersion(store));
    });

    it('a collection leaves alone what is no attempt of a publisher', async () => {
      const scene = await begin();
      const { store } = scene;
      const foreign = [
        storeKey('photos', '2020', 'cat.png'),
        storeKey('tiny', { reserved: '_resume' }, 'images', 'a.png'),
        storeKey('notes.txt')
      ];
      for (const key of foreign) await store.put(key, { kind: 'bytes', bytes: Buffer.from('mine') }, { signal });
      await collect(scene, Date.now() + 100 * DAY_MS);
      expect(await objectKeys(store)).toEqual(expect.arrayContaining(foreign));
      expect(await publishedVersion(store)).toBe(OLD);
    });
  });
}

function collect({ open }: Scene, now: number) {
  return collectAttempts(open(), { dryRun: false, now, signal });
}

/** Finds the names of what a version consists of, each below one and the same attempt. */
async function expectNothingBut({ store }: Scene, version: number | undefined): Promise<void> {
  const names = version === undefined ? [] : [...contentsOf(version).map(({ name }) => name), 'manifest.json'];
  const keys = (await objectKeys(store)).map((key) => key.split('/').slice(2).join('/'));
  expect(keys.toSorted()).toEqual(names.toSorted());
}
