import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { createHasher } from '../../../server/platform/hasher';
import { Failure } from '../../../shared/failure';
import { temporariesIn } from '../../support/artifacts/folder-contents';
import {
  DOCUMENT,
  documentOf,
  fileOf,
  KEY,
  putBytes,
  signal,
  swapNext,
  swapText,
  textOf
} from '../../support/artifacts/store-under-test';
import { sharedPool } from '../../support/built-worker';
import { withFileTap } from '../../support/crash/file-tap';
import { memoryFolder } from '../../support/memory-folder';

const NEW = Buffer.alloc(3000, 'new');

/** What is there when it was done: the object's text, the document's. */
type Outcome = readonly [string | undefined, string | undefined];

const ACTIONS: readonly [string, (store: ObjectStore) => Promise<unknown>, Outcome][] = [
  ['a put of bytes', (store) => putBytes(store, KEY, NEW), [NEW.toString(), 'old']],
  ['a put of a file', async (store) => store.put(KEY, await fileOf(NEW), { signal }), [NEW.toString(), 'old']],
  ['a document', (store) => swapNext(store, 'new'), ['old', 'new']],
  ['the deletion of a document', (store) => store.deleteDocument(DOCUMENT, signal), ['old', undefined]]
];

/** Removing is what clears up, and takes no room. */
const NEVER_FAILS = new Set(['rm', 'rmdir']);

/** Does something with a disk that is full, or broken, from the n-th call that changes it. @returns whether it got so far */
async function failingAt(
  number: number,
  code: string,
  folder: string,
  action: () => Promise<unknown>
): Promise<boolean> {
  let calls = 0;
  await withFileTap(({ name, args }, proceed) => {
    if (NEVER_FAILS.has(name) || !args.some((arg) => String(arg).startsWith(folder))) return proceed();
    calls += 1;
    if (calls < number) return proceed();
    return Promise.reject(Object.assign(new Error(`${code}: on purpose`), { code }));
  }, action);
  return calls >= number;
}

it.each(ACTIONS.flatMap(([name, act, after]) => ['ENOSPC', 'EIO'].map((code) => [name, code, act, after] as const)))(
  '%s that meets %s at any call fails in words and leaves the old or the new, and nothing half',
  async (_, code, act, after) => {
    const folder = await memoryFolder();
    let failures = 0;
    for (let call = 1, isReached = true; isReached; call += 1) {
      const root = join(folder, `store-${call}`);
      const open = () => new FileStore(root, createHasher(sharedPool()));
      await putBytes(open(), KEY, Buffer.from('old'));
      await swapText(open(), 'old', null);
      const look = async () => [await textOf(open(), KEY), await documentOf(open())];
      let thrown: unknown;
      isReached = await failingAt(call, code, root, () => act(open()).catch((error: unknown) => (thrown = error)));
      if (isReached) {
        failures += 1;
        expect(thrown).toBeInstanceOf(Failure);
        expect(thrown).toMatchObject({ code: code === 'ENOSPC' ? 'disk-full' : 'file-access', subject: root });
      }
      expect(isReached ? [['old', 'old'], after] : [after]).toContainEqual(await look());
      expect(await temporariesIn(root)).toEqual([]);
    }
    expect(failures).toBeGreaterThan(2);
  }
);

it('a document is written although earlier ones of it cannot be removed', async () => {
  const open = await memoryFolder().then((folder) => () => new FileStore(folder, createHasher(sharedPool())));
  let refused = 0;
  const versions: (string | undefined)[] = [];
  await withFileTap(
    ({ name, args }, proceed) => {
      if (name !== 'rm' || !/@\/\d+$/.test(String(args[0]))) return proceed();
      refused += 1;
      return Promise.reject(Object.assign(new Error('EIO: on purpose'), { code: 'EIO' }));
    },
    async () => {
      for (let time = 0; time < 5; time += 1) {
        const text = `time ${time}`;
        versions.push(await swapText(open(), text, versions.at(-1) ?? null));
        expect(await documentOf(open())).toBe(text);
      }
    }
  );
  expect(refused).toBeGreaterThan(0);
  expect(new Set(versions).size).toBe(5);
});
