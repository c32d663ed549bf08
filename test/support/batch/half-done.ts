import { expect } from 'vitest';
import { CheckpointKeys } from '../../../server/artifacts/checkpoints/checkpoint-keys';
import { findCheckpoint } from '../../../server/artifacts/checkpoints/find-checkpoint';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import type { StoreKey } from '../../../server/artifacts/store-key';
import { temporaryFolder } from '../temporary-folder';
import { batchFile, folderStore, imagesOf, type Machine, machine, run, SMALL } from './batch-bench';
import { Death, dyingStore } from './dying-store';

/** Two images. */
export const TWO = { models: ['tiny-sd1'], prompts: ['a cat'], seeds: [1, 2], options: SMALL };

/** Never aborts. */
export const never: AbortSignal = new AbortController().signal;

/** Calls of a store until one image of two is stored and its state is: found by trying. */
export const ONE_OF_TWO = 9;

/** A batch of two images, of which one was made before its runner died. */
export async function halfDone(
  manifest: string,
  content: unknown = TWO
): Promise<{
  readonly here: Machine;
  readonly store: ObjectStore;
  readonly folder: string;
  readonly file: string;
}> {
  const here = await machine(manifest);
  const folder = await temporaryFolder();
  const store = await folderStore(here.services, folder);
  const file = await batchFile(content);
  await expect(run(here, { file, store: dyingStore(store, ONE_OF_TWO) })).rejects.toBeInstanceOf(Death);
  const results = (await readStateOf(store)).results;
  expect(results.filter((result) => result !== null)).toHaveLength(1);
  return { here, store, folder, file };
}

interface State {
  readonly results: readonly unknown[];
  readonly attempts: Readonly<Record<string, number>>;
}

/** The checkpoint of the batch `job`, and the keys of what it names. */
export async function partsOf(store: ObjectStore) {
  const found = await findCheckpoint(store, 'job', never);
  if (found?.kind !== 'readable') throw new Error('there is a checkpoint');
  const { run: name, plan, state, phase } = found.manifest;
  const keys = new CheckpointKeys('job');
  return { keys, run: name, phase, plan: keys.part(name, plan.name), state: keys.part(name, state.name), ...found };
}

/** How far the batch `job` is, as it is stored. */
export async function readStateOf(store: ObjectStore): Promise<State> {
  const { state } = await partsOf(store);
  const content = await store.read(state, { signal: never, limit: 1_000_000 });
  return JSON.parse(Buffer.from(content?.bytes ?? []).toString()) as State;
}

/** Puts a text in the place of an object. */
export async function write(store: ObjectStore, key: StoreKey, text: string): Promise<void> {
  await store.put(key, { kind: 'bytes', bytes: Buffer.from(text) }, { signal: never });
}

/** What was found by {@link expectedImages}, by the model's manifest and the batch. */
const undisturbed = new Map<string, Promise<readonly string[]>>();

/** What a batch gives that nobody disturbs: made once, for it is the same every time. */
export function expectedImages(manifest: string, content: unknown = TWO): Promise<readonly string[]> {
  const key = JSON.stringify([manifest, content]);
  const found = undisturbed.get(key) ?? makeUndisturbed(manifest, content);
  undisturbed.set(key, found);
  return found;
}

async function makeUndisturbed(manifest: string, content: unknown): Promise<readonly string[]> {
  const calm = await machine(manifest);
  return imagesOf(calm, await run(calm, { file: await batchFile(content), store: await folderStore(calm.services) }));
}
