import { rm } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import { CacheLayout } from '../../../server/store/cache-layout';
import { reliedOn, relyOn } from '../../../server/store/reliance';
import { digestOf } from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const digest = digestOf(Buffer.from('content'));
const reliance = { digests: [digest], open: false };

let layout: CacheLayout;

beforeEach(async () => {
  layout = new CacheLayout(await temporaryFolder());
});

it('what a job relies on is known while it runs, and no longer', async () => {
  await relyOn(layout, reliance, async () => expect((await reliedOn(layout)).digests).toEqual(new Set([digest])));
  expect((await reliedOn(layout)).digests).toEqual(new Set());
  await expect(relyOn(layout, reliance, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect((await reliedOn(layout)).digests).toEqual(new Set());
});

/** Somebody removes the cache while a job runs. */
const removeRecords = () => rm(layout.operations, { recursive: true });

it('what a job came to counts, even when its record cannot be removed', async () => {
  expect(await relyOn(layout, reliance, () => removeRecords().then(() => 'done'))).toBe('done');
  const failing = relyOn(layout, reliance, () => removeRecords().then(() => Promise.reject(new Error('failed'))));
  await expect(failing).rejects.toThrow('failed');
});
