import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { storeKey } from '../../../server/artifacts/store-key';
import { createHasher } from '../../../server/platform/hasher';
import { temporariesIn } from '../../support/artifacts/folder-contents';
import {
  CONTENT,
  DOCUMENT,
  documentOf,
  fileOf,
  KEY,
  putBytes,
  signal,
  swapNext,
  textOf
} from '../../support/artifacts/store-under-test';
import { sharedPool } from '../../support/built-worker';
import { crashStates, telling } from '../../support/crash/crash-states';
import { putOnDisk } from '../../support/crash/disk';
import { recordDisk } from '../../support/crash/disk-recorder';
import { withoutHardLinks } from '../../support/crash/file-tap';
import { bootAnew } from '../../support/crash/next-boot';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';

vi.mock('../../../server/platform/process-identity', async (original) => {
  const { identitiesAfterBoot } = await import('../../support/crash/next-boot');
  return identitiesAfterBoot(await original());
});

/** How many states are looked at for each action. */
const STATES = Number(process.env['DIFFUSION_DOCK_TEST_STATES'] ?? 150);

const OTHER_KEY = storeKey('tiny', 'attempt-1', 'other');
const COPY = storeKey('tiny', 'attempt-2', 'copy');
const LONG = CONTENT.toString('latin1');

/** What there is under names that are looked at: contents, `undefined` for none. */
type Seen = Readonly<Record<'object' | 'copy' | 'document', string | undefined>>;

async function look(store: ObjectStore): Promise<Seen> {
  return { object: await textOf(store, KEY), copy: await textOf(store, COPY), document: await documentOf(store) };
}

const putText = (store: ObjectStore, text: string) => putBytes(store, KEY, Buffer.from(text));

const ACTIONS: readonly [string, (store: ObjectStore) => Promise<unknown>, (store: ObjectStore) => Promise<unknown>][] =
  [
    ['a first put', async () => undefined, (store) => putText(store, 'new')],
    ['a put over another', (store) => putText(store, 'old'), (store) => putText(store, 'new')],
    [
      'a put from a file',
      (store) => putText(store, 'old'),
      async (store) => store.put(KEY, await fileOf(Buffer.from(LONG, 'latin1')), { signal })
    ],
    ['a copy', (store) => putText(store, 'old'), (store) => store.copy(KEY, COPY, signal)],
    ['a deletion', (store) => putText(store, 'old'), (store) => store.delete(KEY, signal)],
    ['a first document', async () => undefined, (store) => swapNext(store, 'first')],
    [
      'another document',
      async (store) => {
        for (let time = 0; time < 5; time += 1) await swapNext(store, `time ${time}`);
      },
      (store) => swapNext(store, 'last')
    ],
    [
      'the deletion of a document',
      async (store) => {
        for (let time = 0; time < 5; time += 1) await swapNext(store, `time ${time}`);
      },
      (store) => store.deleteDocument(DOCUMENT, signal)
    ]
  ];

describe.each([
  ['with hard links', <T>(action: () => Promise<T>) => action()],
  ['without hard links', withoutHardLinks]
] as const)('on a volume %s, after a power cut at any moment', (_, onVolume) => {
  it.each(ACTIONS)('%s has happened or not, and nothing half is left', async (_name, prepare, act) => {
    const parent = await memoryFolder();
    const root = join(parent, 'cache');
    await mkdir(root);
    const open = () => new FileStore(join(root, 'store'), createHasher(sharedPool()));
    await onVolume(async () => {
      await putBytes(open(), OTHER_KEY, Buffer.from('another'));
      await prepare(open());
    });
    const before = await look(open());
    const recording = await recordDisk(root, () => onVolume(() => act(open())));
    const after = await look(open());
    expect(after).not.toEqual(before);
    for (const state of crashStates(recording, { most: STATES, random: new Random(3) })) {
      await telling(state, async () => {
        putOnDisk(state.disk, root);
        bootAnew();
        const isAcknowledged = state.moment === recording.steps.length;
        expect(isAcknowledged ? [after] : [before, after]).toContainEqual(await look(open()));
        expect(await textOf(open(), OTHER_KEY)).toBe('another');
        await onVolume(async () => {
          const store = open();
          await putText(store, 'once more');
          await swapNext(store, 'once more');
        });
        expect(await look(open())).toMatchObject({ object: 'once more', document: 'once more' });
        expect(await temporariesIn(root)).toEqual([]);
      });
    }
  });
});
