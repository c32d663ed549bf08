import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { respond, startRawServer } from '../../support/raw-http-server';
import { runCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';

const SHARED = sampleBytes(50_000);
const OWN = sampleBytes(20_000, 3);

let home: string;

/** Two models with one content in common. */
beforeEach(async () => {
  home = await temporaryFolder();
  const server = await startRawServer(({ path }, socket) => {
    const body = path === '/shared' ? SHARED : OWN;
    respond(socket, 200, { 'Content-Length': body.length }, body);
  });
  onTestFinished(() => server.close());
  const shared = { url: `${server.origin}/shared`, filename: 'shared.gguf', sha256: sha256(SHARED) };
  const own = { url: `${server.origin}/own`, filename: 'own.gguf', role: 'vae', sha256: sha256(OWN) };
  const manifests = await Promise.all([
    writeManifest([shared, own], { name: 'one', license: 'MIT' }),
    writeManifest([shared], { name: 'two' })
  ]);
  expect((await runCli(['pull', ...manifests], { home })).status).toBe(0);
});

describe('inspect', () => {
  it('tells files, digests, and what is shared, counted once', async () => {
    const { status, out } = await runCli(['inspect', 'one', '--json'], { home });
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      name: 'one',
      status: 'installed',
      license: 'MIT',
      installedFiles: [
        { path: 'own.gguf', role: 'vae', sha256: sha256(OWN), digestOrigin: 'declared', sharedWith: [] },
        { path: 'shared.gguf', bytes: SHARED.length, sharedWith: ['two'], provedAt: expect.any(Number) }
      ],
      problems: [],
      footprint: { bytes: SHARED.length + OWN.length, sharedBytes: SHARED.length }
    });
    const people = await runCli(['inspect', 'one'], { home });
    expect(people.out).toContain('on disk   70.0 kB, 50.0 kB of it shared with other models');
  });

  it('tells what is wrong', async () => {
    const file = join(home, 'models', 'one', 'own.gguf');
    await chmod(file, 0o644);
    await writeFile(file, 'cut');
    const { status, out } = await runCli(['inspect', 'one'], { home });
    expect(status).toBe(0);
    expect(out).toMatch(/^one: unhealthy\. own\.gguf has 3 bytes instead of 20000\./);
  });
});

describe('drop and gc', () => {
  it('remove one model and free what no other uses', async () => {
    expect(await runCli(['drop', 'one'], { home })).toMatchObject({
      status: 0,
      out: expect.stringContaining('removed')
    });
    const listed = await runCli(['list', '--json'], { home });
    expect(JSON.parse(listed.out)).toMatchObject([
      { name: 'one', status: 'registered' },
      { name: 'two', status: 'installed' }
    ]);
    const planned = await runCli(['gc', '--dry-run'], { home });
    expect(planned.out).toBe('would be freed: 1 file, 20.0 kB\n');
    const freed = await runCli(['gc', '--json'], { home });
    expect(JSON.parse(freed.out)).toMatchObject({ contents: 1, dryRun: false, isPutOff: false });
    expect(await readFile(join(home, 'models', 'two', 'shared.gguf'))).toEqual(SHARED);
    expect((await runCli(['gc', '--dry-run'], { home })).out).toBe('would be freed: 0 files, 0 B\n');
  });

  it.each(['notes.txt', join('samples', 'first.png')])(
    'take nothing away that the user laid there: %s',
    async (name) => {
      const own = join(home, 'models', 'one', name);
      await mkdir(dirname(own), { recursive: true });
      await writeFile(own, 'mine');
      const refused = await runCli(['drop', 'one'], { home });
      expect(refused.status).toBe(1);
      expect(refused.err).toContain(`does not belong to it: ${name}`);
      expect(await readFile(own, 'utf8')).toBe('mine');
      expect(await readFile(join(home, 'models', 'one', 'own.gguf'))).toEqual(OWN);
      await rm(own);
      expect((await runCli(['drop', 'one'], { home })).status).toBe(0);
    }
  );

  it('take a damaged model away, but not what the user laid beside it', async () => {
    const folder = join(home, 'models', 'one');
    await writeFile(join(folder, 'manifest.json'), 'torn');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    expect((await runCli(['drop', 'one'], { home })).err).toContain('does not belong to it: notes.txt.');
    await rm(join(folder, 'notes.txt'));
    expect((await runCli(['drop', 'one'], { home })).status).toBe(0);
  });

  it('take a model off the list when it is to be forgotten', async () => {
    expect((await runCli(['drop', 'one', '--forget'], { home })).status).toBe(0);
    const listed = await runCli(['list', '--json'], { home });
    expect(JSON.parse(listed.out)).toMatchObject([{ name: 'two' }]);
    expect((await runCli(['drop', 'one'], { home })).status).toBe(1);
  });
});

describe("what file managers leave in a model's folder", () => {
  it('is no finding and in nobody’s way', async () => {
    const litter = ['.DS_Store', '._own.gguf', 'Thumbs.db', 'Desktop.ini', '.directory'];
    const folder = join(home, 'models', 'one');
    const leave = () => Promise.all(litter.map((name) => writeFile(join(folder, name), 'icons')));
    await leave();
    expect((await runCli(['verify', 'one'], { home })).status).toBe(0);
    const file = join(folder, 'own.gguf');
    await chmod(file, 0o644);
    await writeFile(file, 'cut');
    expect(await runCli(['pull', 'one'], { home })).toMatchObject({ status: 0 });
    expect(await readFile(file)).toEqual(OWN);
    await leave();
    expect((await runCli(['drop', 'one'], { home })).status).toBe(0);
  });
});
