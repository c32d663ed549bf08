import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../../../server/gallery/incoming-image';
import { bootId } from '../../../server/platform/process-identity';
import { formatJournalLine, type JournalLine } from '../../../server/pull/partial/journal';
import { PartialDownload } from '../../../server/pull/partial/partial-download';
import type { Source } from '../../../server/pull/source';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const CONTENT = sampleBytes(400_000);
const SOURCE = { source: 'https://host/w', validator: '"v1"', total: CONTENT.length };

/** What the system says when a disk has not taken what was written. */
const FAULT = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });

/** Lets the next sync of a file's data fail, whoever asks for it. */
async function failNextSync(folder: string): Promise<void> {
  const spy = vi.spyOn(await openFiles(folder), 'datasync').mockRejectedValueOnce(FAULT);
  onTestFinished(() => spy.mockRestore());
}

/** Lets nothing be appended to any file from now on. */
async function fillDisk(folder: string): Promise<{ readonly free: () => void }> {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const spy = vi.spyOn(await openFiles(folder), 'appendFile').mockRejectedValue(full);
  onTestFinished(() => spy.mockRestore());
  return { free: () => spy.mockRestore() };
}

/** What all open files have in common. */
async function openFiles(folder: string): Promise<FileHandle> {
  const handle = await open(join(folder, 'any'), 'w');
  await handle.close();
  return Object.getPrototypeOf(handle);
}

/** A partial whose first half is on disk for certain, and another quarter written since. */
async function threeQuarters() {
  const [folder, partials] = [await temporaryFolder(), await temporaryFolder()];
  let now = 0;
  const partial = await PartialDownload.claim(partials, 'key', () => now);
  await partial.begin(SOURCE);
  await partial.write(CONTENT.subarray(0, 200_000), 0);
  await partial.release();
  const claimed = await PartialDownload.claim(partials, 'key', () => now);
  await claimed.write(CONTENT.subarray(200_000, 300_000), 200_000);
  return { folder, partials, partial: claimed, pass: (ms: number) => (now += ms) };
}

describe('of a partial that the disk did not take all of', () => {
  it('what it took before is gone on with, when a fault is told while more arrives', async () => {
    const { folder, partials, partial, pass } = await threeQuarters();
    await failNextSync(folder);
    pass(6000);
    await partial.write(CONTENT.subarray(300_000, 300_001), 300_000);
    await vi.waitFor(() => expect(partial.couldNotSync).toBe(true));
    await expect(partial.write(CONTENT.subarray(300_001, 300_002), 300_001)).rejects.toBe(FAULT);
    await partial.release();
    const again = await PartialDownload.claim(partials, 'key', () => 0);
    expect(again.ranges).toEqual([{ start: 0, end: 200_000 }]);
    expect((await readFile(again.dataPath)).subarray(0, 200_000)).toEqual(CONTENT.subarray(0, 200_000));
    await again.close();
  });

  it('the same counts when the fault is told only when it is let go', async () => {
    const { folder, partials, partial } = await threeQuarters();
    await failNextSync(folder);
    await partial.release();
    const again = await PartialDownload.claim(partials, 'key', () => 0);
    expect(again.ranges).toEqual([{ start: 0, end: 200_000 }]);
    await again.close();
  });

  it('all that was noted stays when only the journal could not be written any more', async () => {
    const { folder, partials, partial } = await threeQuarters();
    const disk = await fillDisk(folder);
    await partial.release();
    disk.free();
    const again = await PartialDownload.claim(partials, 'key', () => 0);
    expect(again.ranges).toEqual([{ start: 0, end: 300_000 }]);
    await again.close();
  });

  it('what it took before counts for whoever takes over what a dead process has left', async () => {
    const folder = await temporaryFolder();
    const partials = join(folder, 'partials');
    const left = join(partials, 'key.free~1');
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 'data'), CONTENT);
    const lines: JournalLine[] = [
      { type: 'boot', id: await bootId() },
      { type: 'begun', ...SOURCE },
      { type: 'written', start: 0, end: 200_000 },
      { type: 'synced', ranges: [[0, 200_000]] },
      { type: 'written', start: 200_000, end: 300_000 }
    ];
    await writeFile(join(left, 'journal'), lines.map(formatJournalLine).join(''));
    await failNextSync(folder);
    for (let time = 0; time < 2; time += 1) {
      const partial = await PartialDownload.claim(partials, 'key', () => 0);
      expect(partial.ranges).toEqual([{ start: 0, end: 200_000 }]);
      await partial.release();
    }
  });

  it('nothing stays when it took nothing', async () => {
    const [folder, partials] = [await temporaryFolder(), await temporaryFolder()];
    const partial = await PartialDownload.claim(partials, 'key', () => 0);
    await partial.begin(SOURCE);
    await partial.write(CONTENT.subarray(0, 1000), 0);
    await failNextSync(folder);
    await partial.release();
    expect(await readdir(partials)).toEqual([]);
  });
});

describe('a transfer that the disk did not take the end of', () => {
  it.each([
    // So long it took that what is written last is to be synced anyway.
    ['is no success, and is gone on with from what it took', 6000],
    ['is none either when it was too short to be synced before', 0]
  ])('%s', async (_, took) => {
    let passed = 0;
    const clock = { now: Date.now, elapsed: () => passed, sleep: async () => undefined };
    const services = await testServices({ clock });
    await failNextSync(services.root);
    const opened: number[] = [];
    const source: Source = {
      label: 'w',
      identity: SOURCE.source,
      isLocal: false,
      probe: async () => ({ bytes: CONTENT.length, isExact: true, digest: null }),
      open: async ({ start, signal }) => {
        opened.push(start);
        return {
          start,
          total: CONTENT.length,
          servesRanges: true,
          validator: SOURCE.validator,
          endsByClosing: false,
          body: (async function* () {
            signal.throwIfAborted();
            passed += took;
            yield CONTENT.subarray(start);
          })()
        };
      }
    };
    const file = { source, digest: digestOf(CONTENT), bytes: CONTENT.length };
    const fetch = () => services.pulls.fetch(file, { signal: new AbortController().signal, onBytes: () => undefined });
    await expect(fetch()).rejects.toMatchObject({ code: 'EIO' });
    await fetch();
    expect(opened).toEqual([0, 0]);
  });
});
