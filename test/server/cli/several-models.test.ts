import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { respond, startRawServer } from '../../support/raw-http-server';
import { type CliResult, runCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';

let home: string;
let origin: string;
/** The path that the site does not have. */
let missing: string;

const contentOf = (name: string): Buffer => sampleBytes(20_000, name.length);

beforeEach(async () => {
  home = await temporaryFolder();
  missing = '';
  const site = await startRawServer(({ path }, socket) => {
    const body = contentOf(path.slice(1));
    if (path === missing) respond(socket, 404, {}, Buffer.from('gone'));
    else respond(socket, 200, { 'Content-Length': body.length }, body);
  });
  ({ origin } = site);
  onTestFinished(() => site.close());
});

const manifest = (name: string): Promise<string> =>
  writeManifest([{ url: `${origin}/${name}`, sha256: sha256(contentOf(name)) }], { name });

const run = (...words: readonly string[]): Promise<CliResult> => runCli(words, { home });

async function damage(name: string): Promise<void> {
  const path = join(home, 'models', name, 'weights.gguf');
  const bytes = await readFile(path);
  bytes[100]! ^= 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

describe('of several models', () => {
  it('those that can be had are pulled although one before them cannot', async () => {
    missing = '/a';
    const pulled = await run('pull', await manifest('a'), 'nobody', await manifest('bcd'));
    expect(pulled).toMatchObject({ status: 1, out: expect.stringMatching(/^bcd: installed/) });
    expect(pulled.err).toContain('404');
    expect(pulled.err).toContain('nobody');
    const again = await run('pull', 'a', 'bcd', '--json');
    const lines = again.out.trim().split('\n');
    expect(again.status).toBe(1);
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual({
      argument: 'a',
      error: expect.objectContaining({ code: 'http-status' })
    });
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ type: 'completed', model: 'bcd' });
  });

  it('those that can be had are healed, each with its answer', async () => {
    await run('pull', await manifest('a'), await manifest('bcd'));
    await damage('a');
    await damage('bcd');
    missing = '/a';
    const { status, out } = await run('heal', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject([
      { model: 'a', error: { code: 'http-status' } },
      { model: 'bcd', healed: ['weights.gguf'], report: { healthy: true } }
    ]);
    const healed = await run('heal');
    expect(healed).toMatchObject({ status: 1, out: 'bcd: nothing to heal\n' });
    expect(healed.err).toContain('404');
  });

  it('those that are installed are verified although another is not', async () => {
    missing = '/a';
    await run('pull', await manifest('a'), await manifest('bcd'));
    const { status, out } = await run('verify', 'a', 'bcd', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject([
      { model: 'a', error: { code: 'not-installed' } },
      { model: 'bcd', healthy: true }
    ]);
  });
});
