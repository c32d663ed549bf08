import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSoundStore, heldBytes, installedVersion } from '../../support/faults/cache-state';
import { MEBIBYTE } from '../../support/faults/lane';
import { type ModelFiles, manyBytes, startPullSite } from '../../support/faults/pull-site';
import { memoryFolder } from '../../support/memory-folder';
import { startCli } from '../../support/run-cli';

const FILES: ModelFiles = new Map([['weights.gguf', manyBytes(12 * MEBIBYTE, 1)]]);

/** The library that faketime loads into programs; used without it, for it puts a process in between. */
const FAKETIME = spawnSync('faketime', ['-f', '+1d', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).stdout?.trim();

describe.skipIf(!FAKETIME)('a pull that was killed', () => {
  it.each([
    ['back by 400 days', '+0d', '-400d'],
    ['to another century', '+0d', '+30000d'],
    ['right, from another century', '+30000d', '+0d'],
    ['right, from 400 days ago', '-400d', '+0d']
  ])('goes on when the clock was set %s meanwhile', async (_, before, later) => {
    const folder = await memoryFolder();
    const home = join(folder, 'home');
    await mkdir(home);
    const site = await startPullSite(join(folder, 'site'), { bytesPerSecond: 8 * MEBIBYTE });
    onTestFinished(() => site.close());
    const manifest = await site.publish('v1', FILES, { name: 'm' });
    const pull = (offset: string) =>
      startCli(['pull', manifest, '--json'], { home, environment: { LD_PRELOAD: FAKETIME ?? '', FAKETIME: offset } });
    const first = pull(before);
    while ((await heldBytes(home, FILES)) < 4 * MEBIBYTE) await after(20);
    first.child.kill('SIGKILL');
    await first.ended;
    const missing = 12 * MEBIBYTE - (await heldBytes(home, FILES));
    site.reset();
    const { status, out } = await pull(later).ended;
    expect(status).toBe(0);
    expect(site.sentBytes).toBeLessThanOrEqual(missing + MEBIBYTE);
    await expectSoundStore(home);
    expect(await installedVersion(home, 'm', new Map([['v1', FILES]]))).toBe('v1');
    const numbers = out.match(/:-?\d+(\.\d+)?/g)?.map((text) => Number(text.slice(1))) ?? [];
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  });
});
