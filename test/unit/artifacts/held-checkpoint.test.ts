import { expect, it } from 'vitest';
import { findCheckpoint, readCheckpoint } from '../../../server/artifacts/checkpoints/find-checkpoint';
import { HeldCheckpoint } from '../../../server/artifacts/checkpoints/held-checkpoint';
import { noProgress } from '../../../server/artifacts/checkpoints/progress';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { Failure } from '../../../shared/failure';
import { MemoryStore } from '../../support/artifacts/memory-store';

const { signal } = new AbortController();

async function keysIn(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(null, signal)) keys.push(key);
  return keys;
}

function begin(store: ObjectStore, plan: string, replaced?: { readonly version: string }): Promise<HeldCheckpoint> {
  return HeldCheckpoint.begin(store, { job: 'job', plan, progress: noProgress(2), replaced }, signal);
}

it('a batch that is begun anew has begun although nothing of the run before can be removed; that goes in the end', async () => {
  const store = new MemoryStore();
  await begin(store, 'the first');
  const before = await keysIn(store);
  const removal = store.delete.bind(store);
  store.delete = () => Promise.reject(new Failure('http-status', 'The store is too busy.'));
  const held = await begin(store, 'the second', await findCheckpoint(store, 'job', signal));
  expect(await readCheckpoint(store, 'job', signal)).toMatchObject({ plan: 'the second' });
  await held.advance(noProgress(2), 'running', signal);
  expect(await keysIn(store)).toEqual(expect.arrayContaining(before));
  store.delete = removal;
  await held.remove(signal);
  expect(await keysIn(store)).toEqual([]);
});
