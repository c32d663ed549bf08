import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import { createHasher } from '../../../server/platform/hasher';
import { ownerTag, ownIdentity } from '../../../server/platform/process-identity';
import { temporariesIn } from '../../support/artifacts/folder-contents';
import { DOCUMENT, documentOf, KEY, LIMIT, putBytes, signal, swapText } from '../../support/artifacts/store-under-test';
import { sharedPool } from '../../support/built-worker';
import { type FileCall, withFileTap } from '../../support/crash/file-tap';
import { memoryFolder } from '../../support/memory-folder';

let root: string;
let store: FileStore;

beforeEach(async () => {
  root = await memoryFolder();
  store = new FileStore(root, createHasher(sharedPool()));
});

/** Writes the document so often that numbers seen before are removed, if they may be. */
async function writeMany(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const current = await store.readDocument(DOCUMENT, { signal, limit: LIMIT });
    expect(await swapText(store, `other ${time}`, current?.version ?? null)).toBeDefined();
  }
}

const writesTemporary = ({ name, args }: FileCall) => name === 'open' && args[1] === 'wx';
const takesNumber = ({ name }: FileCall) => name === 'link';

/** Swaps the document from a version; something else happens before the first call of a kind. */
function swapLate(
  version: string | undefined,
  isMeant: (call: FileCall) => boolean,
  meanwhile: () => Promise<unknown>
) {
  let isFirst = true;
  return withFileTap(
    async (call, proceed) => {
      if (isFirst && isMeant(call)) {
        isFirst = false;
        await meanwhile();
      }
      return proceed();
    },
    () => swapText(store, 'late', version ?? null)
  );
}

describe.each([
  ['before its own content is in the folder', writesTemporary],
  ['before its own content gets its number', takesNumber]
])('a writer that is held up %s', (_, isMeant) => {
  it('loses to all who wrote meanwhile, although its number may be free again', async () => {
    const version = await swapText(store, 'first', null);
    expect(await swapLate(version, isMeant, () => writeMany(50))).toBeUndefined();
    expect(await documentOf(store)).toBe('other 49');
  });

  it('loses to who deleted the document, and to who made it anew', async () => {
    const version = await swapText(store, 'first', null);
    expect(await swapLate(version, isMeant, () => store.deleteDocument(DOCUMENT, signal))).toBeUndefined();
    expect(await documentOf(store)).toBeUndefined();
    const again = await swapText(store, 'second', null);
    const anew = async () => {
      await store.deleteDocument(DOCUMENT, signal);
      await writeMany(1);
    };
    expect(await swapLate(again, isMeant, anew)).toBeUndefined();
    expect(await documentOf(store)).toBe('other 0');
  });

  it('of a first document loses to another one, and writes it when that was deleted', async () => {
    expect(await swapLate(undefined, isMeant, () => writeMany(3))).toBeUndefined();
    expect(await documentOf(store)).toBe('other 2');
    await store.deleteDocument(DOCUMENT, signal);
    const andDeleted = async () => {
      await writeMany(3);
      await store.deleteDocument(DOCUMENT, signal);
    };
    const outcome = await swapLate(undefined, isMeant, andDeleted);
    expect(await documentOf(store)).toBe(outcome === undefined ? undefined : 'late');
  });
});

describe('a document', () => {
  it('keeps few of its generations', async () => {
    await writeMany(20);
    const names = await readdir(join(root, 'tiny', '_current.json@'));
    expect(names.length).toBeLessThan(5);
  });

  it('is read by many while it is written, and always whole', async () => {
    const writing = new AbortController();
    const versions = new Set<string>();
    const reading = async (): Promise<void> => {
      while (!writing.signal.aborted) {
        const found = await store.readDocument(DOCUMENT, { signal, limit: LIMIT });
        if (found) versions.add(found.version);
        if (found) expect(Buffer.from(found.bytes).toString()).toMatch(/^other \d+$/);
      }
    };
    const readers = [reading(), reading(), reading()];
    await writeMany(60);
    writing.abort();
    await Promise.all(readers);
    expect(versions.size).toBeGreaterThan(1);
  });
});

describe('what writers left who are gone', () => {
  it('goes with the next writing, that of other machines when they were silent for a week', async () => {
    await swapText(store, 'first', null);
    const [dead, recent, silent] = [
      await nameOf({ pid: 4_194_305 }),
      await nameOf({ host: 'elsewhere', pid: 1 }),
      await nameOf({ host: 'elsewhere', pid: 2 })
    ];
    for (const folder of [join(root, '.incoming'), join(root, 'tiny', '_current.json@')]) {
      await leave(folder, dead);
      await leave(folder, recent, 3);
      await leave(folder, silent, 8);
    }
    const later = new FileStore(root, createHasher(sharedPool()));
    await putBytes(later, KEY, Buffer.from('x'));
    await writeMany(1);
    expect(await temporariesIn(root)).toEqual([recent, recent]);
  });
});

/** The name of a temporary file of somebody else. */
const nameOf = async (writer: object) => `.${ownerTag({ ...(await ownIdentity()), ...writer }, 'n')}.tmp`;

async function leave(folder: string, name: string, daysAgo = 0): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), 'half');
  const at = Date.now() / 1000 - daysAgo * 24 * 3600;
  await utimes(join(folder, name), at, at);
}
