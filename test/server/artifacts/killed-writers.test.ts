import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { storeKey } from '../../../server/artifacts/store-key';
import { createHasher } from '../../../server/platform/hasher';
import { temporariesIn } from '../../support/artifacts/folder-contents';
import { documentOf, keysBelow, putBytes, readObject, swapText } from '../../support/artifacts/store-under-test';
import { sharedPool, WORKER_SCRIPT } from '../../support/built-worker';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';
import { bundleScript, ScriptProcess } from '../../support/script-process';

const LANES = 4;
const KILLS = 24;

vi.setConfig({ testTimeout: 120_000 });

it('writers that are killed at any moment lose nothing that was acknowledged and leave nothing half', async () => {
  const folder = await memoryFolder();
  const root = join(folder, 'store');
  const script = await bundleScript('team-store-script.ts', folder);
  const random = new Random(5);
  const acknowledged: string[] = [];
  const lane = async (number: number): Promise<void> => {
    for (let kill = 0; kill < KILLS / LANES; kill += 1) {
      const child = new ScriptProcess(script, [root, `writer-${number}-${kill}`, WORKER_SCRIPT]);
      await child.untilLines(1 + random.below(4));
      for (let turns = random.below(200); turns > 0; turns -= 1) await new Promise((done) => setImmediate(done));
      await child.kill();
      acknowledged.push(...child.lines);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS);

  const store = new FileStore(root, createHasher(sharedPool()));
  const list = storeKey({ reserved: '_list' });
  const lines = ((await documentOf(store, list)) ?? '').trim().split('\n');
  expect(new Set(lines).size).toBe(lines.length);
  expect(lines).toEqual(expect.arrayContaining(acknowledged));
  // One that was killed may have written a line that nobody heard of.
  expect(lines.length).toBeLessThanOrEqual(acknowledged.length + KILLS);
  const digests = new Map(lines.map((line) => [line.split(' ')[0], line.split(' ')[1]]));
  for (const key of await keysBelow(store, storeKey('objects'))) {
    const name = key.split('/')[1] ?? '';
    const bytes = await readObject(store.source(storeKey('objects', name)));
    // One that is on no list yet is whole as well.
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(digest).toBe(digests.get(name) ?? digestOf(name));
    digests.delete(name);
  }
  expect([...digests]).toEqual([]);

  await putBytes(store, storeKey('last'), Buffer.from('x'));
  const current = await store.readDocument(list, { signal: new AbortController().signal, limit: 10_000_000 });
  await swapText(store, 'last', current?.version ?? null, list);
  expect(await temporariesIn(root)).toEqual([]);
});

/** Of what the script puts under a name. */
function digestOf(name: string): string {
  const bytes = Buffer.alloc(200_000 + Number(name.split('-').at(-1)), `${name} `);
  return createHash('sha256').update(bytes).digest('hex');
}
