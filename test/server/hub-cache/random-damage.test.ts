import { readFile, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { healHubCache } from '../../../server/operations/hub-cache/heal-hub-cache';
import { verifyHubCache } from '../../../server/operations/hub-cache/verify-hub-cache';
import type { Verdict } from '../../../shared/model';
import { BuiltCache, type BuiltFile, type CacheForm } from '../../support/hub/built-cache';
import { damage, everythingIn } from '../../support/hub/damage';
import { type HubRevision, startFakeHub } from '../../support/hub/fake-hub';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { Random } from '../../support/random';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

/** What is done to a file, and the verdict that it then deserves. */
const HARMS: readonly {
  readonly verdict: Verdict;
  readonly harm: (file: BuiltFile, random: Random) => Promise<void>;
}[] = [
  { verdict: 'verified', harm: async () => undefined },
  { verdict: 'corrupt', harm: ({ bytesAt }) => damage(bytesAt) },
  { verdict: 'corrupt', harm: ({ bytesAt }) => truncate(bytesAt, 0) },
  { verdict: 'corrupt', harm: ({ bytesAt }, random) => truncate(bytesAt, 1 + random.below(10)) },
  { verdict: 'corrupt', harm: ({ bytesAt }) => writeFile(bytesAt, sampleBytes(500, 99)) },
  {
    verdict: 'corrupt',
    async harm({ bytesAt, pointer }) {
      // A copy has nothing behind it that could be gone.
      await (bytesAt === pointer ? damage(bytesAt) : unlink(bytesAt));
    }
  },
  {
    verdict: 'corrupt',
    async harm({ pointer }) {
      await unlink(pointer);
      await symlink(pointer, pointer);
    }
  }
];

const FORMS: readonly CacheForm[] = ['link', 'shared', 'copy'];

interface Placed {
  readonly reference: string;
  readonly commit: string;
  readonly path: string;
  readonly content: HubContent;
  readonly file: BuiltFile;
  readonly verdict: Verdict;
}

/** A cache of several repositories with damage of every kind, and what the hub would serve. */
async function randomCache(
  random: Random
): Promise<{ cache: BuiltCache; placed: Placed[]; hub: Record<string, HubRevision[]> }> {
  const cache = await BuiltCache.create();
  const placed: Placed[] = [];
  const hub: Record<string, HubRevision[]> = {};
  for (let repository = 0; repository < 1 + random.below(3); repository += 1) {
    const name = `owner/repo${repository}`;
    const folder = `models--${name.replace('/', '--')}`;
    hub[name] = [];
    for (let revision = 0; revision < 1 + random.below(2); revision += 1) {
      const commit = commitOf(`${name} ${revision}`);
      const files: Record<string, HubContent> = {};
      for (let index = 0; index < 1 + random.below(4); index += 1) {
        const bytes = sampleBytes(50 + random.below(3000), 1 + random.below(1_000_000));
        const content = { bytes, isLarge: random.below(3) > 0 };
        const path = random.pick(['', 'unet/', 'a/b/c/']) + `file ${index}.bin`;
        files[path] = content;
        const file = await cache.put(folder, commit, path, content, random.pick(FORMS));
        const { verdict, harm } = random.pick(HARMS);
        await harm(file, random);
        placed.push({ reference: `hf:${name}`, commit, path, content, file, verdict });
      }
      await cache.tree(folder, commit, files);
      await cache.ref(folder, `refs/pr/${revision}`, commit);
      hub[name].push({ commit, branches: [], files });
    }
  }
  return { cache, placed, hub };
}

describe('a cache with random damage', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 1))(
    'gets the verdicts it deserves, is healed exactly, and nothing else is touched (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      const { cache, placed, hub } = await randomCache(random);
      const outside = await temporaryFolder();
      await writeFile(join(outside, 'mine'), 'mine');
      await symlink(outside, join(cache.root, 'models--owner--elsewhere'));
      const server = await startFakeHub(hub);
      const environment = { HF_HUB_CACHE: cache.root, HF_ENDPOINT: server.origin };
      const services = await testServices({ environment });
      const options = { signal: new AbortController().signal, onProgress: () => undefined };
      const verdicts = async (): Promise<Map<string, Verdict>> => {
        const reports = await verifyHubCache(services, [], options);
        return new Map(
          reports.flatMap(({ reference, files }) =>
            files.map(({ commit, path, verdict }) => [`${reference} ${commit} ${path}`, verdict])
          )
        );
      };
      expect(await verdicts()).toEqual(new Map(placed.map((file) => [nameOf(file), file.verdict])));

      const sound = placed.filter(({ verdict }) => verdict === 'verified').map(({ file }) => file);
      const kept = new Set(sound.flatMap(({ pointer, blob, bytesAt }) => [pointer, blob, bytesAt]));
      const [before, outsideBefore] = [await everythingIn(cache.root), await everythingIn(outside)];
      const healings = await healHubCache(services, [], options);
      expect(healings.every(({ healthy }) => healthy)).toBe(true);

      for (const { content, file } of placed) expect(await readFile(file.pointer)).toEqual(content.bytes);
      expect([...(await verdicts()).values()].every((verdict) => verdict === 'verified')).toBe(true);
      expect(await everythingIn(outside)).toEqual(outsideBefore);
      const after = await everythingIn(cache.root);
      for (const [name, was] of Object.entries(before)) {
        const path = join(cache.root, name);
        const isNote = /\/(refs|trees)\/|^blobs\//.test(name);
        if (isNote || kept.has(path)) expect(`${name} ${after[name]}`).toBe(`${name} ${was}`);
      }
      expect(Object.keys(after).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
    }
  );
});

function nameOf({ reference, commit, path }: Placed): string {
  return `${reference} ${commit} ${path}`;
}
