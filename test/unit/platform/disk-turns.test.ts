import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { DiskTurns, deviceNumbers, isRotating } from '../../../server/platform/disk-turns';
import { temporaryFolder } from '../../support/temporary-folder';

let file: string;

beforeEach(async () => {
  file = join(await temporaryFolder(), 'weights.gguf');
  await writeFile(file, 'weights');
});

/** Finds every file at once, so that the order of the finds is that of the calls. */
const oneDisk = async () => 1;

/** Jobs that run until they are told to end, and who began. */
function jobs() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (name: string) => async () => {
    begun.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name;
  };
  return { begun, job, end: (name: string) => ends.get(name)?.() };
}

/** Lets everything go on that does not wait for an end. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('a rotating disk', () => {
  it('has one reader at a time, in the order they came', async () => {
    const turns = new DiskTurns(async () => true, oneDisk);
    const { begun, job, end } = jobs();
    const reads = ['one', 'two', 'three'].map((name) => turns.take(file, undefined, job(name)));
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      await expect.poll(() => begun.length).toBe(index + 1);
      await quiet();
      expect(begun.at(-1)).toBe(name);
      end(name);
    }
    expect(await Promise.all(reads)).toEqual(['one', 'two', 'three']);
  });

  it('goes on with the next reader when one fails or gives up waiting', async () => {
    const turns = new DiskTurns(async () => true, oneDisk);
    const { begun, job, end } = jobs();
    const first = turns.take(file, undefined, job('one'));
    await expect.poll(() => begun).toEqual(['one']);
    const controller = new AbortController();
    const impatient = turns.take(file, controller.signal, job('never'));
    const failing = turns.take(file, undefined, () => Promise.reject(new Error('unreadable')));
    const last = turns.take(file, undefined, job('last'));
    controller.abort();
    await expect(impatient).rejects.toMatchObject({ code: 'cancelled' });
    expect(begun).toEqual(['one']);
    end('one');
    await first;
    await expect(failing).rejects.toThrow('unreadable');
    await expect.poll(() => begun).toEqual(['one', 'last']);
    end('last');
    expect(await last).toBe('last');
  });
});

it('another disk has as many readers as come', async () => {
  const turns = new DiskTurns(async () => false, oneDisk);
  const { begun, job, end } = jobs();
  const reads = ['one', 'two'].map((name) => turns.take(file, undefined, job(name)));
  await expect.poll(() => begun).toEqual(['one', 'two']);
  end('one');
  end('two');
  await Promise.all(reads);
});

it('a device that is no disk does not rotate', async () => {
  expect(await isRotating(0)).toBe(false);
});

it.each([
  [0x803, '8:3'],
  [0xfe00, '254:0'],
  [0x100103, '1:259'],
  [0x10300, '259:0']
])('device %i is %s on Linux', (device, numbers) => {
  expect(deviceNumbers(device)).toBe(numbers);
});
