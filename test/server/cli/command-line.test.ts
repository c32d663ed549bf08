import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeProcess } from '../../../server/platform/process-identity';
import { engineScript } from '../../support/engine-script';
import { rangeStart, respond, startRawServer } from '../../support/raw-http-server';
import { runCli, STAND_IN, startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';
import { untilWritten } from '../../unit/engine/processes';

const CONTENT = sampleBytes(200_000);

async function modelSite(content: Buffer = CONTENT): Promise<string> {
  const server = await startRawServer((request, socket) => {
    const start = rangeStart(request);
    const range = { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` };
    const headers = { 'Content-Length': content.length - start, ETag: '"v1"', ...(start > 0 && range) };
    respond(socket, start > 0 ? 206 : 200, headers, content.subarray(start));
  });
  onTestFinished(() => server.close());
  return `${server.origin}/weights.gguf`;
}

describe('wrong usage', () => {
  it.each([
    [[], /usage: diffusion-dock/],
    [['frobnicate'], /no command "frobnicate"/],
    [['--quiet'], /Name a command/],
    [['help', 'frobnicate'], /no command "frobnicate"/],
    [['pull'], /Name a model or a manifest/],
    [['list', '--frobnicate'], /--frobnicate/],
    [['generate', 'x'], /--prompt TEXT/],
    [['generate', 'x', '-p', 'y', '--set', 'stepz=3'], /no "stepz"/],
    [['generate', 'x', '-p', 'y', '--seed', '-4'], /seed/]
  ])('%j ends with status 2 and says what to do', async (words, text) => {
    const { status, out, err } = await runCli(words, { home: await temporaryFolder() });
    expect(status).toBe(2);
    expect(out + err).toMatch(text);
  });

  it('is told as JSON when JSON is wanted', async () => {
    const { status, out, err } = await startCli(['pull', 'nobody', '--json'], { home: await temporaryFolder() }).ended;
    expect({ status, err }).toEqual({ status: 1, err: '' });
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'unknown-model', subject: 'nobody' } });
  });
});

describe('options', () => {
  it('are the same on either side of the command', async () => {
    const home = await temporaryFolder();
    const other = await temporaryFolder();
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    const planned = await runCli(['--json', '--dry-run', 'pull', manifest], { home });
    expect(JSON.parse(planned.out)).toMatchObject({ model: 'test-model' });
    expect((await runCli(['--home', other, '--connections', '2', 'pull', manifest], { home })).status).toBe(0);
    expect(JSON.parse((await runCli(['list', '--json'], { home })).out)).toEqual([]);
    expect(JSON.parse((await runCli(['list', '--home', other, '--json'], { home })).out)).toHaveLength(1);
  });

  it.each([[['help']], [['--help']], [['--home', 'X', 'help']], [['help', '--home', 'X']], [['--json', '-h']]])(
    '%j shows the commands',
    async (words) => {
      const { status, out } = await runCli(words, { home: await temporaryFolder() });
      expect({ status, out }).toEqual({ status: 0, out: expect.stringContaining('gc [--dry-run]\n') });
    }
  );

  it.each([
    [['pull', '--help']],
    [['--home', 'X', '--help', 'pull']],
    [['help', 'pull']],
    [['--quiet', 'help', 'pull']]
  ])('%j shows how one is used', async (words) => {
    const { status, out } = await runCli(words, { home: await temporaryFolder() });
    expect({ status, out }).toEqual({ status: 0, out: expect.stringMatching(/^usage: diffusion-dock pull NAME/) });
  });

  it.each([[['--version']], [['--home', 'X', '--version']], [['list', '--version']]])('%j tells it', async (words) => {
    const { status, out } = await startCli(words, { home: await temporaryFolder() }).ended;
    expect({ status, out }).toEqual({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('a model from its manifest to a verdict', () => {
  it('is pulled, listed and verified by a process each', async () => {
    const home = await temporaryFolder();
    const run = (...words: readonly string[]) => startCli(words, { home }).ended;
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    const pulled = await run('pull', manifest);
    expect(pulled).toMatchObject({ status: 0, out: expect.stringMatching(/^test-model: installed, 200 kB/) });
    const listed = await run('list', '--json');
    expect(JSON.parse(listed.out)).toMatchObject([{ name: 'test-model', status: 'installed', bytes: 200_000 }]);
    const remembered = await run('verify', 'test-model');
    expect(remembered).toMatchObject({ status: 0, out: expect.stringContaining('unchanged since') });
    const verified = await run('verify', 'test-model', '--force');
    expect(verified).toMatchObject({ status: 0, out: expect.stringContaining('healthy, 200 kB read') });
  });

  it('is unhealthy with status 1 when one byte changed, and pulling it again mends it', async () => {
    const home = await temporaryFolder();
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    await runCli(['pull', manifest], { home });
    const file = join(home, 'models', 'test-model', 'weights.gguf');
    await damage(file);
    const verified = await runCli(['verify', '--json'], { home });
    expect(verified.status).toBe(1);
    expect(JSON.parse(verified.out)).toMatchObject([{ healthy: false, files: [{ verdict: 'corrupt' }] }]);
    await runCli(['pull', 'test-model'], { home });
    expect((await runCli(['verify'], { home })).status).toBe(0);
  });

  it('comes as one event a line in JSON, rates and all', async () => {
    const home = await temporaryFolder();
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    const { out } = await runCli(['pull', manifest, '--json'], { home });
    const events = out
      .trim()
      .split('\n')
      .map((line): { type: string } => JSON.parse(line));
    expect(events.map(({ type }) => type).filter((type) => type !== 'file_progress')).toEqual([
      'started',
      'file_started',
      'file_completed',
      'completed'
    ]);
  });

  it('is not registered by a dry run', async () => {
    const home = await temporaryFolder();
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT), size_bytes: 200_000 }]);
    const planned = await runCli(['pull', manifest, '--dry-run'], { home });
    expect(planned).toMatchObject({ status: 0, out: expect.stringContaining('test-model: 200 kB to transfer') });
    expect(JSON.parse((await runCli(['list', '--json'], { home })).out)).toEqual([]);
  });

  it('is verified without being named, even when its stamp was lost', async () => {
    const home = await temporaryFolder();
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    await runCli(['pull', manifest], { home });
    for (const generation of await readdir(join(home, 'registry'))) {
      const path = join(home, 'registry', generation);
      const state = JSON.parse(await readFile(path, 'utf8'));
      for (const model of state.models) delete model.installed;
      await writeFile(path, JSON.stringify(state));
    }
    await damage(join(home, 'models', 'test-model', 'weights.gguf'));
    expect((await runCli(['verify'], { home })).status).toBe(1);
  });

  it('of a host behind a proxy whose address makes no sense fails, and the command ends', async () => {
    const home = await temporaryFolder();
    const manifest = await writeManifest([{ url: 'https://models.test/w', sha256: sha256(CONTENT), size_bytes: 5 }]);
    const environment = { HTTPS_PROXY: 'socks5://127.0.0.1:9' };
    const { status, err } = await startCli(['pull', manifest], { home, environment }).ended;
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('The address of the proxy') });
  });

  it('may lie beside its manifest', async () => {
    const home = await temporaryFolder();
    const manifest = await writeManifest([{ url: 'files/weights.gguf', sha256: sha256(CONTENT) }]);
    await mkdir(join(manifest, '..', 'files'));
    await writeFile(join(manifest, '..', 'files', 'weights.gguf'), CONTENT);
    expect((await runCli(['pull', manifest], { home })).status).toBe(0);
    const [installed, original] = await Promise.all([
      stat(join(home, 'models', 'test-model', 'weights.gguf')),
      stat(join(manifest, '..', 'files', 'weights.gguf'))
    ]);
    // Other people's files are copied: never linked, their mode never changed.
    expect(installed.ino).not.toBe(original.ino);
    expect(original.mode & 0o200).toBe(0o200);
  });
});

describe('a pull that is interrupted', () => {
  it.each([
    ['Ctrl-C', 'SIGINT'],
    ['whoever ends the process', 'SIGTERM'],
    ['the end of its terminal', 'SIGHUP']
  ] as const)('by %s ends with status 130', async (_, signal) => {
    const home = await temporaryFolder();
    const site = await startRawServer((_request, socket) => respond(socket, 200, { 'Content-Length': 10 }, 'half'));
    onTestFinished(() => site.close());
    const manifest = await writeManifest([{ url: `${site.origin}/w`, size_bytes: 10 }]);
    const { child, ended } = startCli(['pull', manifest, '--json'], { home });
    child.stdout?.once('data', () => child.kill(signal));
    expect(await ended).toMatchObject({ status: 130 });
  });

  it('by SIGKILL is gone on with where it was', async () => {
    const home = await temporaryFolder();
    const large = sampleBytes(6_000_000);
    const starts: number[] = [];
    const site = await startRawServer((request, socket) => {
      const start = rangeStart(request);
      starts.push(start);
      const range = { 'Content-Range': `bytes ${start}-${large.length - 1}/${large.length}` };
      const headers = { 'Content-Length': large.length - start, ...(start > 0 && range) };
      respond(
        socket,
        start > 0 ? 206 : 200,
        headers,
        large.subarray(start, starts.length === 1 ? 4_000_000 : undefined)
      );
    });
    onTestFinished(() => site.close());
    const manifest = await writeManifest([{ url: `${site.origin}/w`, sha256: sha256(large) }]);
    const { child, ended } = startCli(['pull', manifest, '--json'], { home });
    child.stdout?.on('data', (chunk) => {
      const received = /"receivedBytes":(\d{7,})/.exec(String(chunk))?.[1];
      if (Number(received) > 2_000_000) child.kill('SIGKILL');
    });
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect(await readdir(join(home, 'models')).catch(() => [])).toEqual([]);
    const again = await runCli(['pull', 'test-model'], { home });
    expect(again.status).toBe(0);
    expect(starts[1]).toBeGreaterThan(2_000_000);
    expect(sha256(await readFile(join(home, 'models', 'test-model', 'weights.gguf')))).toBe(sha256(large));
    expect(await readdir(join(home, '.partial'))).toEqual([]);
  });
});

describe('generate', () => {
  it('prints the path of a real image as its last line', async () => {
    const home = await temporaryFolder();
    const pulled = await runCli(['pull', await sampleManifest()], { home });
    expect(pulled.status).toBe(0);
    const environment = { DIFFUSION_DOCK_SD_CLI: STAND_IN };
    const output = join(home, 'lighthouse.png');
    const words = ['generate', 'tiny-sd1', '--prompt=--help', '--seed', '7', '-o', output];
    const { status, out } = await startCli(words, { home, environment }).ended;
    expect(status).toBe(0);
    const path = out.trim().split('\n').at(-1) ?? '';
    const image = await readFile(path);
    expect(image.subarray(1, 4).toString()).toBe('PNG');
    expect(await readFile(output)).toEqual(image);
    expect(JSON.parse(await readFile(path.replace(/png$/, 'json'), 'utf8'))).toMatchObject({
      seed: 7,
      request: { prompt: '--help' },
      engine: { version: expect.stringContaining('stand-in') }
    });
    expect(await readdir(join(home, '.scratch'))).toEqual([]);
  });

  it('tells progress and previews as objects, a line each, and writes the previews to a file', async () => {
    const home = await temporaryFolder();
    await runCli(['pull', await sampleManifest()], { home });
    const preview = join(home, 'preview.png');
    const words = ['generate', 'tiny-sd1', '-p', 'x', '--json', '--preview', preview, '--time-limit', '5'];
    const { status, out } = await runCli(words, { home, environment: { DIFFUSION_DOCK_SD_CLI: STAND_IN } });
    expect(status).toBe(0);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ type: 'progress', phase: 'starting', image: 1, images: 1 });
    expect(lines).toContainEqual(expect.objectContaining({ type: 'preview', path: preview }));
    expect(lines.at(-1)).toMatchObject({ model: 'tiny-sd1', images: [{ path: expect.any(String) }] });
    expect((await readFile(preview)).subarray(1, 4).toString()).toBe('PNG');
  });

  it.runIf(process.platform === 'linux')(
    'ends an engine whose command line was killed before it runs another one',
    async () => {
      const home = await temporaryFolder();
      await runCli(['pull', await sampleManifest()], { home });
      const note = join(home, 'pid');
      const hanging = await engineScript({
        fault: 'hang',
        during: `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid));`
      });
      const words = ['generate', 'tiny-sd1', '-p', 'x'];
      const first = startCli(words, { home, environment: { DIFFUSION_DOCK_SD_CLI: hanging } });
      const orphan = Number(await untilWritten(note));
      first.child.kill('SIGKILL');
      await first.ended;
      const second = await runCli(words, { home, environment: { DIFFUSION_DOCK_SD_CLI: STAND_IN } });
      expect(second.status).toBe(0);
      expect(await describeProcess(orphan)).toBeUndefined();
      expect(await readdir(join(home, '.scratch'))).toEqual([]);
    }
  );

  it('shows the last lines of an engine that fails', async () => {
    const home = await temporaryFolder();
    await runCli(['pull', await sampleManifest()], { home });
    const environment = { DIFFUSION_DOCK_SD_CLI: await engineScript({ fault: 'crash-sampling' }) };
    const { status, err } = await runCli(['generate', 'tiny-sd1', '-p', 'x'], { home, environment });
    expect(status).toBe(1);
    expect(err).toContain('sd-cli crashed (SIGSEGV).');
    expect(err).toMatch(/^ {2}engine: /m);
  });

  it('without an engine ends with status 1 and says what to install', async () => {
    const home = await temporaryFolder();
    await runCli(['pull', await sampleManifest()], { home });
    const environment = { PATH: '/nowhere' };
    const { status, out } = await runCli(['generate', 'tiny-sd1', '-p', 'x', '--json'], { home, environment });
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'engine-missing' } });
  });
});

/** Flips a bit of a read-only file, which is what rotting disks do. */
async function damage(path: string): Promise<void> {
  await chmod(path, 0o644);
  const bytes = await readFile(path);
  bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
