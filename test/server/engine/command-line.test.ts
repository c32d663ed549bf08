import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  assetName,
  engineFiles,
  engineScript,
  PROGRAM,
  type ReleaseServer,
  startReleaseServer
} from '../../support/engine/release-server';
import { zipFile } from '../../support/engine/zip-file';
import { runCli, startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

let home: string;

beforeEach(async () => {
  home = await temporaryFolder();
});

function serve(bytes: Buffer): Promise<ReleaseServer> {
  return startReleaseServer([{ tag: 'master-2-bbbbbbb', assets: [{ name: assetName(), bytes }] }]);
}

/** The command line on a machine without any other engine. */
function run(...words: string[]) {
  return runCli(words, { home, environment: { PATH: join(home, 'nothing') } });
}

async function json(...words: string[]) {
  const { status, out } = await run(...words, '--json');
  return { status, answer: JSON.parse(out) };
}

async function untilWritten(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return text;
    await delay(5);
  }
}

describe('engine', () => {
  it('lists what could be installed, installs it, says what it can do, and doctor finds it', async () => {
    const { list } = await serve(zipFile(engineFiles('two')));
    const offers = await json('engine', 'list', '--releases', list);
    expect(offers.answer).toMatchObject([
      { variant: 'cpu', isRecommended: true, release: 'master-2-bbbbbbb', archives: [{ name: assetName() }] }
    ]);
    const missing = await run('engine');
    expect(missing.status).toBe(1);
    expect(missing.out).toContain('diffusion-dock engine install');

    const installed = await run('engine', 'install', '--releases', list);
    expect(installed.status).toBe(0);
    expect(installed.out).toContain('installed stable-diffusion.cpp version two, commit 1');
    expect(installed.err).toContain('master-2-bbbbbbb for cpu: ');

    const { status, answer } = await json('engine', 'status');
    expect(status).toBe(0);
    expect(answer).toMatchObject({
      engine: { origin: 'installed', options: ['--model'], devices: [{ name: 'CPU' }] },
      problem: null,
      installed: { release: 'master-2-bbbbbbb', digestOrigin: 'published' },
      previous: null
    });
    const findings = (await json('doctor')).answer;
    const engine = findings.find(({ subject }: { subject: string }) => subject === 'engine');
    expect(engine).toMatchObject({ state: 'fine', message: expect.stringContaining('version two') });
  });

  it('chooses another one, and goes back to searching', async () => {
    const path = join(home, PROGRAM);
    await writeFile(path, engineScript('mine'), { mode: 0o755 });
    expect((await run('engine', 'use', path)).out).toContain('version mine');
    expect((await json('engine')).answer.engine).toMatchObject({ path, origin: 'chosen' });
    expect((await run('engine', 'use', join(home, 'nosuch'))).status).toBe(1);
    expect((await json('engine')).answer.engine).toMatchObject({ path });
    expect((await run('engine', 'use', 'auto')).status).toBe(1);
    expect((await json('engine')).answer).toMatchObject({ engine: null, problem: { code: 'engine-missing' } });
  });

  it.each([
    [['engine', 'remove'], 'There is no "engine remove".'],
    [['engine', 'use'], 'Name the path'],
    [['engine', 'install', 'master'], 'one word too many'],
    [['engine', 'install', '--variant', 'quantum'], 'no variant "quantum"']
  ])('says what is wrong with %j', async (words, sentence) => {
    const { status, err } = await run(...words);
    expect(status).toBe(2);
    expect(err).toContain(sentence);
  });

  it('says what is missing when nothing proves the archive', async () => {
    const server = await serve(zipFile(engineFiles('two')));
    server.releases = [{ tag: 'x', assets: [{ name: assetName(), bytes: zipFile(engineFiles('two')), digest: null }] }];
    const { status, err } = await run('engine', 'install', '--releases', server.list);
    expect(status).toBe(1);
    expect(err).toContain('--sha256');
    const { out } = await run('engine', 'install', '--releases', server.list, '--allow-unverified');
    expect(out).toContain('version two');
    expect((await run('engine')).out).toContain('proved by nothing');
  });
});

describe('an installation whose process is killed', () => {
  it('while it is received goes on with what is here', async () => {
    const bytes = zipFile([...engineFiles('two'), { name: 'large.bin', content: sampleBytes(4_000_000) }]);
    const server = await serve(bytes);
    const sent = new Promise<void>((resolve) => {
      server.intercept = (_, response) => {
        response.writeHead(200, {
          'Content-Length': bytes.length,
          'Accept-Ranges': 'bytes',
          ETag: `"${sha256(bytes)}"`
        });
        response.write(bytes.subarray(0, -1000), () => resolve());
        return true;
      };
    });
    const { child, ended } = startCli(['engine', 'install', '--releases', server.list], {
      home,
      environment: { PATH: join(home, 'nothing') }
    });
    await sent;
    child.kill('SIGKILL');
    await ended;
    server.intercept = () => false;
    expect((await run('engine', 'install', '--releases', server.list)).out).toContain('version two');
  });

  it('while the new engine is tried leaves the old one in use, and nothing else', async () => {
    const server = await serve(zipFile(engineFiles('one')));
    await run('engine', 'install', '--releases', server.list);
    const note = join(home, 'tried');
    const waits = `require('node:fs').writeFileSync(${JSON.stringify(note)}, String(process.pid)); setInterval(() => 0, 1e6);`;
    const content = engineScript('two', waits);
    server.releases = [
      { tag: 'x', assets: [{ name: assetName(), bytes: zipFile([{ name: PROGRAM, content, mode: 0o100755 }]) }] }
    ];
    const { child, ended } = startCli(['engine', 'install', '--releases', server.list], { home });
    const tried = Number(await untilWritten(note));
    child.kill('SIGKILL');
    process.kill(tried, 'SIGKILL');
    await ended;
    const { answer } = await json('engine');
    expect(answer).toMatchObject({ engine: { version: expect.stringContaining('version one') }, previous: null });
    expect(await readdir(join(home, 'engine', 'versions'))).toHaveLength(1);
  });
});
