import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { respond, startRawServer } from '../../support/raw-http-server';
import { runCli, startCli } from '../../support/run-cli';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(10_000);

async function manifestOnServer(): Promise<string> {
  const server = await startRawServer((_, socket) =>
    respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT)
  );
  onTestFinished(() => server.close());
  return writeManifest([{ url: `${server.origin}/w.gguf` }]);
}

it('keeps a log of transfers where it is told to, and appends to it', async () => {
  const home = await temporaryFolder();
  const manifest = await manifestOnServer();
  for (const name of ['one', 'two']) {
    const { status } = await runCli(['pull', manifest, '--log', 'dock.log'], { home: join(home, name), folder: home });
    expect(status).toBe(0);
  }
  const log = await readFile(join(home, 'dock.log'), 'utf8');
  expect(log.match(/^\S+Z info starting transfer url=\S+\/w\.gguf destination=weights\.gguf/gm)).toHaveLength(2);
  expect(log.match(/^\S+Z info done transfer .* bytes=10000 ms=\d+$/gm)).toHaveLength(2);
});

it('says which file of a log cannot be written', async () => {
  const home = await temporaryFolder();
  const { status, err } = await runCli(['list', '--log', 'no/such/folder/dock.log'], { home, folder: home });
  expect(status).toBe(1);
  expect(err).toContain('no/such/folder/dock.log');
});

it('ends quietly when nobody reads the answer any more', async () => {
  const home = await temporaryFolder();
  const cli = resolve(import.meta.dirname, '../../../dist/cli.js');
  const words = [cli, '--home', home, 'pull', await manifestOnServer(), '--json'];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const told: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => told.push(chunk));
  await once(child, 'close');
  expect(Buffer.concat(told).toString()).not.toContain('EPIPE');
});

it('goes on when nobody reads its remarks any more', async () => {
  const home = await temporaryFolder();
  const { child, ended } = startCli(['pull', await manifestOnServer()], { home });
  child.stderr?.destroy();
  expect(await ended).toMatchObject({ status: 0, out: expect.stringContaining('installed') });
});
