import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { PartialDownload } from '../../../server/pull/partial/partial-download';
import { temporaryFolder } from '../../support/temporary-folder';

const held = vi.hoisted(() => ({ times: 0 }));

// As Windows refuses it for a folder while a file in it is open: for a scanner, or the thread that hashed.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const rename: typeof real.rename = async (from, to) => {
    const isLetGo = String(to).includes('.free~');
    if (isLetGo && held.times-- > 0) throw Object.assign(new Error('EPERM: rename'), { code: 'EPERM' });
    return real.rename(from, to);
  };
  return { ...real, rename };
});

it('what was received is let go of although a file of it is still open for a moment', async () => {
  const partials = join(await temporaryFolder(), 'partials');
  const partial = await PartialDownload.claim(partials, 'key', () => 0);
  await partial.begin({ source: 'https://host/w', validator: '"v1"', total: 1000 });
  await partial.write(Buffer.alloc(500), 0);
  const { platform } = process;
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }));
  Object.defineProperty(process, 'platform', { value: 'win32' });
  held.times = 2;
  await partial.release();
  Object.defineProperty(process, 'platform', { value: platform });
  expect(await readdir(partials)).toEqual([expect.stringMatching(/^key\.free~/)]);
  const again = await PartialDownload.claim(partials, 'key', () => 0);
  expect(again.bytes).toBe(500);
  await again.remove();
});
