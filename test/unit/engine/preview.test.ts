import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PreviewFrame, PreviewReader } from '../../../server/engine/preview';
import { soundPng } from '../gallery/png-bytes';
import { temporaryFolder } from './processes';

let folder: string;
let path: string;
let now: number;
let frames: PreviewFrame[];
let reader: PreviewReader;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'preview.png');
  now = 0;
  frames = [];
  const ticker = { now: () => now, after: () => () => undefined };
  reader = new PreviewReader(path, (frame) => frames.push(frame), ticker);
});

afterEach(() => rm(folder, { recursive: true }));

const step = (done: number) => reader.observe({ type: 'bar', kind: 'steps', done, total: 9, secondsPerUnit: 1 });

/** A step, and all the reading that comes of it. */
async function settled(done: number): Promise<void> {
  step(done);
  await reader.settled();
}

describe('previews', () => {
  it('are handed on whole, with the step that they show', async () => {
    await writeFile(path, soundPng('one'));
    reader.observe({ type: 'image', image: 2, images: 3, seed: 7 });
    await settled(4);
    expect(frames).toEqual([{ png: soundPng('one'), image: 2, step: 4, steps: 9 }]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a part', soundPng().subarray(0, -1)],
    ['no image', Buffer.from('<html>'.repeat(20))],
    ['more than any preview has', Buffer.concat([soundPng(), Buffer.alloc(5 * 1024 * 1024)])]
  ])('are left out while the file holds %s', async (_, bytes) => {
    await writeFile(path, bytes);
    await settled(1);
    expect(frames).toEqual([]);
  });

  it('are left out while there is no file, and when a folder is in its place', async () => {
    await settled(1);
    await mkdir(path);
    now += 1000;
    await settled(2);
    expect(frames).toEqual([]);
  });

  it('are few, and never the same twice in a row', async () => {
    await writeFile(path, soundPng('one'));
    await settled(1);
    now += 10;
    await writeFile(path, soundPng('two'));
    await settled(2);
    now += 1000;
    await settled(3);
    now += 1000;
    await settled(4);
    expect(frames.map((frame) => frame.step)).toEqual([1, 3]);
  });

  it('end with the run', async () => {
    await writeFile(path, soundPng('one'));
    step(1);
    await reader.end();
    now += 1000;
    step(2);
    await reader.end();
    expect(frames).toEqual([]);
  });
});
