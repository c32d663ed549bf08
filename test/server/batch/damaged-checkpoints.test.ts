import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import type { StoreKey } from '../../../server/artifacts/store-key';
import { parseDigest } from '../../../shared/digest';
import { filesBelow, machine, run } from '../../support/batch/batch-bench';
import { halfDone, never, partsOf, readStateOf, write } from '../../support/batch/half-done';
import { sampleManifest } from '../../support/sample-services';
import { failureOf } from '../../unit/engine/failures';

// Each test runs several engines one after the other.
vi.setConfig({ testTimeout: 90_000 });

let samples: string;
let manifest: string;

beforeAll(async () => {
  samples = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  manifest = await sampleManifest({}, samples);
});

afterAll(() => rm(samples, { recursive: true }));

describe('a checkpoint that is damaged', () => {
  const damages: readonly (readonly [string, (store: ObjectStore) => Promise<StoreKey>])[] = [
    [
      'a torn manifest',
      async (store) => {
        const { keys, version } = await partsOf(store);
        await store.swapDocument(keys.manifest, Buffer.from('{"version":1,"jo'), version, never);
        return keys.manifest;
      }
    ],
    [
      'the manifest of another batch',
      async (store) => {
        const { keys, version, manifest: found } = await partsOf(store);
        await store.swapDocument(
          keys.manifest,
          Buffer.from(JSON.stringify({ ...found, job: 'other' })),
          version,
          never
        );
        return keys.manifest;
      }
    ],
    [
      'no state',
      async (store) => {
        const { state } = await partsOf(store);
        await store.delete(state, never);
        return state;
      }
    ],
    [
      'a state that was cut off',
      async (store) => {
        const { state } = await partsOf(store);
        await write(store, state, '{"version":1,');
        return state;
      }
    ],
    [
      'another state of the same length',
      async (store) => {
        const { state } = await partsOf(store);
        const content = await store.read(state, { signal: never, limit: 1_000_000 });
        await write(
          store,
          state,
          Buffer.from(content?.bytes ?? [])
            .toString()
            .replace('null', '    ')
        );
        return state;
      }
    ],
    [
      'no plan',
      async (store) => {
        const { plan } = await partsOf(store);
        await store.delete(plan, never);
        return plan;
      }
    ]
  ];

  it.each(damages)('with %s is an error that names the key, until it is begun anew', async (_, damage) => {
    const { here, store, folder, file } = await halfDone(manifest);
    const key = await damage(store);
    const before = (await here.engine.runs()).length;
    const failure = await failureOf(run(here, { file, store, resume: true }));
    expect(failure).toMatchObject({ code: 'bad-checkpoint', subject: `${store.label}/${key}` });
    expect(failure.nextStep).toContain('--restart');
    expect((await here.engine.runs()).length).toBe(before);
    const result = await run(here, { file, store, restart: true });
    expect(result).toMatchObject({ made: 2, reused: 0 });
    expect(await filesBelow(folder)).toEqual([]);
  });

  it('with an image that is another is an error for whoever needs it, and stays', async () => {
    const { store, file } = await halfDone(manifest);
    const there = await machine(manifest);
    const { keys, run: name } = await partsOf(store);
    const [id] = (await readStateOf(store)).results;
    const digest = parseDigest(String(id));
    if (!digest) throw new Error('a result is a digest');
    const key = keys.image(name, digest);
    await write(store, key, 'no image');
    const failure = await failureOf(run(there, { file, store, resume: true }));
    expect(failure).toMatchObject({ code: 'bad-checkpoint', subject: `${store.label}/${key}` });
    expect((await readStateOf(store)).results).not.toContain(null);
  });
});
