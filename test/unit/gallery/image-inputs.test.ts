import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { ImageInputs } from '../../../server/gallery/image-inputs';
import { digestOf } from '../../../server/gallery/incoming-image';
import { temporaryFolder } from '../../support/temporary-folder';

const HOUR_MS = 3600 * 1000;

let inputs: ImageInputs;
let now: number;

beforeEach(async () => {
  now = Date.now();
  inputs = new ImageInputs(join(await temporaryFolder(), 'inputs'), () => now);
});

/** Keeps a text as an input. */
async function kept(text: string) {
  const bytes = Buffer.from(text);
  const digest = digestOf(bytes);
  await inputs.keepBytes(digest, bytes);
  return digest;
}

it('an input that was damaged meanwhile is written again when it comes again', async () => {
  const digest = await kept('a lighthouse');
  await writeFile(inputs.pathOf(digest), 'a lightHouse');
  expect(await inputs.isIntact(digest)).toBe(false);
  await kept('a lighthouse');
  expect(await inputs.isIntact(digest)).toBe(true);
});

it('an input that no image was made from goes after an hour, unless it came again', async () => {
  const [old, again, used] = [await kept('old'), await kept('again'), await kept('used')];
  now += 2 * HOUR_MS;
  await kept('again');
  await inputs.removeAllBut(new Set([used]));
  await expect(readFile(inputs.pathOf(old))).rejects.toMatchObject({ code: 'ENOENT' });
  expect([await inputs.isIntact(again), await inputs.isIntact(used)]).toEqual([true, true]);
});

it.skipIf(process.platform === 'win32')('an input that cannot be read is told with a sentence', async () => {
  const digest = await kept('a lighthouse');
  const folder = dirname(inputs.pathOf(digest));
  await rm(folder, { recursive: true });
  await symlink(basename(folder), folder);
  await expect(inputs.isIntact(digest)).rejects.toMatchObject({
    code: 'file-access',
    message: 'The input image cannot be read. Its links lead in a circle.'
  });
});
