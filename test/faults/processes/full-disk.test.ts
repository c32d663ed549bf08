import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSoundStore, heldBytes, installedVersion } from '../../support/faults/cache-state';
import { MEBIBYTE } from '../../support/faults/lane';
import { type ModelFiles, manyBytes, startPullSite } from '../../support/faults/pull-site';
import { memoryFolder } from '../../support/memory-folder';
import { startCli } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices } from '../../support/test-services';

const FILES: ModelFiles = new Map([
  ['weights.gguf', manyBytes(10 * MEBIBYTE, 1)],
  ['vae.gguf', manyBytes(MEBIBYTE, 2)]
]);

/** Whether file systems may be mounted here: not without privileges, nor in most containers. */
const MAY_MOUNT = (() => {
  const [folder, options] = ['/mnt', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs']];
  if (process.platform !== 'linux' || spawnSync('mount', [...options, folder]).status !== 0) return false;
  return spawnSync('umount', [folder]).status === 0;
})();

function run(...[program, ...args]: [string, ...string[]]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** A disk of its own for a cache, as small as is told; gone when the test ends. */
async function smallDisk(options: string): Promise<{ home: string; remount: (changed: string) => void }> {
  const home = join(await temporaryFolder(), 'disk');
  await mkdir(home);
  run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', home);
  onTestFinished(() => run('umount', '-l', home));
  return { home, remount: (changed) => run('mount', '-o', `remount,${changed}`, home) };
}

async function site(options: { refusesHead?: boolean } = {}) {
  const server = await startPullSite(await memoryFolder(), options);
  onTestFinished(() => server.close());
  return server;
}

async function expectInstalled(home: string): Promise<void> {
  await expectSoundStore(home);
  expect(await installedVersion(home, 'm', new Map([['v1', FILES]]))).toBe('v1');
}

/**
 * Pulls as on a platform that does not tell how full its disks are: else a disk as small as these is refused at once.
 * @returns what was thrown, if anything
 */
async function pullBlindly(root: string, manifest: string): Promise<unknown> {
  const services = await testServices({ root, freeBytes: () => Promise.resolve(undefined) });
  return pullManifest(services, manifest).then(
    () => undefined,
    (error: unknown) => error
  );
}

describe.skipIf(!MAY_MOUNT)('on a disk of its own', () => {
  it('a pull that does not fit is refused before the first byte', async () => {
    const { home } = await smallDisk('size=6m');
    const server = await site();
    const manifest = await server.publish('v1', FILES, { name: 'm' });
    const { status, out } = await startCli(['pull', manifest, '--json'], { home }).ended;
    expect(status).toBe(1);
    expect(out).toContain('"code":"disk-full"');
    expect(out).toContain('to spare');
    expect(server.sentBytes).toBe(0);
    expect(await readdir(join(home, '.partial')).catch(() => [])).toEqual([]);
  });

  it('a pull of unknown size that fills it keeps what came, and goes on when there is room', async () => {
    const { home, remount } = await smallDisk('size=6m');
    const server = await site({ refusesHead: true });
    const manifest = await server.publish('v1', FILES, { name: 'm', undeclared: true });
    const full = { code: 'disk-full', subject: expect.stringContaining(home), nextStep: expect.any(String) };
    expect(await pullBlindly(home, manifest)).toMatchObject(full);
    const held = await heldBytes(home, FILES);
    expect(held).toBeGreaterThan(3 * MEBIBYTE);
    // Still full: the same answer, and nothing is lost.
    expect(await pullBlindly(home, manifest)).toMatchObject(full);
    expect(await heldBytes(home, FILES)).toBeGreaterThanOrEqual(held - MEBIBYTE);

    remount('size=64m');
    const missing = 11 * MEBIBYTE - (await heldBytes(home, FILES));
    server.reset();
    expect(await pullBlindly(home, manifest)).toBeUndefined();
    expect(server.sentBytes).toBeLessThanOrEqual(missing + MEBIBYTE);
    await expectInstalled(home);
  });

  it.each([6, 10, 14, 18])(
    'with %i inodes a pull says that it is full, or ends well; with more it does',
    async (inodes) => {
      const { home, remount } = await smallDisk(`size=64m,nr_inodes=${inodes}`);
      const server = await site({ refusesHead: true });
      const manifest = await server.publish('v1', FILES, { name: 'm', undeclared: true });
      const failure = await pullBlindly(home, manifest);
      if (failure !== undefined) expect(failure).toMatchObject({ code: 'disk-full' });
      remount('nr_inodes=1000');
      expect(await pullBlindly(home, manifest)).toBeUndefined();
      await expectInstalled(home);
    }
  );
});
