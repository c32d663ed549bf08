import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { CacheLayout } from '../../../server/store/cache-layout';
import { leavePartial } from '../../support/left-partial';
import { runCli } from '../../support/run-cli';
import { digestOf } from '../../support/sample-bundle';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const DAY_MS = 24 * 3600 * 1000;
const CONTENT = sampleBytes(50_000);

let home: string;
let layout: CacheLayout;

/** A cache with a content that nothing uses, an old and a new unfinished download, and a leftover of a crash. */
beforeEach(async () => {
  home = await temporaryFolder();
  layout = new CacheLayout(home);
  const blob = layout.blob(digestOf(CONTENT));
  await mkdir(dirname(blob), { recursive: true });
  await writeFile(blob, CONTENT);
  const source = 'https://example.com/weights';
  const old = await leavePartial(layout, { of: 'old', source, content: CONTENT, ranges: [{ start: 0, end: 30_000 }] });
  const daysAgo = new Date(Date.now() - 15 * DAY_MS);
  await utimes(join(old, 'journal'), daysAgo, daysAgo);
  await leavePartial(layout, { of: 'new', source, content: CONTENT, ranges: [{ start: 0, end: 20_000 }] });
  await mkdir(join(layout.staging, 'test-model.0123456789abcdef'), { recursive: true });
});

const everything = async () => (await readdir(home, { recursive: true })).toSorted();

it('a dry run tells everything that would go, and what would stay, and changes nothing', async () => {
  const before = await everything();
  const { status, out } = await runCli(['gc', '--dry-run'], { home });
  expect({ status, out }).toEqual({
    status: 0,
    out:
      'would be freed: 1 file, 1 unfinished download, 1 leftover of crashes, 80.0 kB\n' +
      '20.0 kB of unfinished downloads stay; the next pull goes on with them\n'
  });
  expect(await everything()).toEqual(before);
});

it('a collection does what a dry run told', async () => {
  const planned = await runCli(['gc', '--dry-run', '--json'], { home });
  const done = await runCli(['gc', '--json'], { home });
  expect(JSON.parse(done.out)).toEqual({ ...JSON.parse(planned.out), dryRun: false });
  expect(await readdir(layout.partials)).toHaveLength(1);
  expect(await readdir(layout.staging)).toEqual([]);
  expect((await runCli(['gc'], { home })).out).toMatch(/^freed: 0 files, 0 B\n20\.0 kB of unfinished/);
});

it('keeps unfinished downloads for as long as the setting says', async () => {
  const environment = { DIFFUSION_DOCK_KEEP_PARTIALS_DAYS: '0' };
  const { out } = await runCli(['gc', '--json'], { home, environment });
  expect(JSON.parse(out)).toMatchObject({ partials: 0, resumableBytes: 50_000 });
  expect(await readdir(layout.partials)).toHaveLength(2);
});
