import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cleanUp } from '../../../server/operations/clean-up/start-up';
import { chooseEngine, rollBackEngine } from '../../../server/operations/engine/choose-engine';
import { findOffers } from '../../../server/operations/engine/engine-releases';
import { engineStatus } from '../../../server/operations/engine/engine-status';
import { type EngineOrder, installEngine } from '../../../server/operations/engine/install-engine';
import type { ServiceOptions, Services } from '../../../server/operations/services';
import { ownerTag, ownIdentity } from '../../../server/platform/process-identity';
import {
  assetName,
  engineFiles,
  engineScript,
  listOf,
  PROGRAM,
  type ServedRelease,
  startReleaseServer
} from '../../support/engine/release-server';
import { zipFile } from '../../support/engine/zip-file';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const signal = new AbortController().signal;

function releaseOf(tag: string, bytes: Buffer, more: { readonly digest?: string | null } = {}): ServedRelease {
  return { tag, assets: [{ name: assetName(tag), bytes, ...more }] };
}

function archive(version: string, folder = ''): Buffer {
  return zipFile(engineFiles(version, folder));
}

/** A server with one release, and services that know its list. */
async function site(
  bytes: Buffer,
  more: { readonly digest?: string | null; readonly options?: Partial<ServiceOptions> } = {}
) {
  const { options, ...asset } = more;
  const server = await startReleaseServer([releaseOf('master-2-bbbbbbb', bytes, asset)]);
  const services = await testServices({ engineReleases: server.list, ...options });
  const phases: string[] = [];
  const install = (order: EngineOrder = {}, until = signal) =>
    installEngine(services, order, { signal: until, onProgress: ({ phase }) => phases.push(phase) });
  return { server, services, install, phases };
}

async function versionInUse(services: Services): Promise<string | undefined> {
  return (await engineStatus(services, signal)).engine?.version;
}

/** What of an installation lies in the folder of engines, without what is remembered of answers. */
async function versionsIn({ layout }: Services): Promise<string[]> {
  return readdir(join(layout.engines, 'versions')).catch(() => []);
}

async function partialsIn({ layout }: Services): Promise<string[]> {
  return readdir(layout.partials).catch(() => []);
}

describe('installing the engine', () => {
  it('fetches the build for this machine, proves it, tries it, and has it used from then on', async () => {
    const { services, install, phases } = await site(archive('two'));
    const { installed, hiddenBy } = await install();
    expect(installed).toMatchObject({ release: 'master-2-bbbbbbb', variant: 'cpu', digestOrigin: 'published' });
    expect(installed.version).toBe('stable-diffusion.cpp version two, commit 1');
    expect(hiddenBy).toBeNull();
    expect(new Set(phases)).toEqual(new Set(['fetching', 'unpacking', 'checking']));
    const { engine } = await engineStatus(services, signal);
    expect(engine).toMatchObject({ origin: 'installed', path: installed.path, options: ['--model'] });
    expect(await partialsIn(services)).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')(
    'restores the right to run, and sets where libraries are searched',
    async () => {
      const { services, install } = await site(archive('two'));
      const { installed } = await install();
      const folder = join(installed.path, '..');
      expect((await readdir(folder)).toSorted()).toEqual([
        'libstable-diffusion.so',
        'sd-cli',
        'stable-diffusion.cpp.txt'
      ]);
      expect((await stat(installed.path)).mode & 0o777).toBe(0o755);
      expect((await stat(join(folder, 'libstable-diffusion.so'))).mode & 0o777).toBe(0o644);
      const { engine } = await engineStatus(services, signal);
      if (process.platform === 'linux') expect(engine?.devices[0]?.description).toBe(folder);
    }
  );

  it('finds the program where some builds have it, in build/bin, and makes copies for links between libraries', async () => {
    const files = [
      ...engineFiles('nested', 'build/bin/'),
      { name: 'build/bin/libggml.so', content: 'libggml.so.0', mode: 0o120777 },
      { name: 'build/bin/libggml.so.0', content: 'libggml.so.0.9', mode: 0o120777 },
      { name: 'build/bin/libggml.so.0.9', content: 'ggml' },
      { name: 'build/bin/', mode: 0o040755 }
    ];
    const { install } = await site(zipFile(files));
    const { installed } = await install();
    expect(await readFile(join(installed.path, '..', 'libggml.so'), 'utf8')).toBe('ggml');
    expect((await stat(join(installed.path, '..', 'libggml.so'))).isFile()).toBe(true);
  });

  it('takes archives whose sizes follow the data, and those with 64-bit sizes', async () => {
    const described = engineFiles('streamed').map((entry) => ({ ...entry, descriptor: true }));
    const streamed = await site(zipFile(described));
    expect((await streamed.install()).installed.version).toContain('streamed');
    const wide = await site(
      zipFile(
        engineFiles('wide').map((entry) => ({ ...entry, zip64: true })),
        { zip64: true }
      )
    );
    expect((await wide.install()).installed.version).toContain('wide');
  });

  it('takes the list and the files from a folder, as on machines without a network', async () => {
    const folder = await temporaryFolder();
    const release = releaseOf('master-3-ccccccc', archive('offline'));
    const [asset] = release.assets;
    await writeFile(join(folder, 'build.zip'), asset?.bytes ?? '');
    const listed = listOf([{ ...release, assets: release.assets.map((one) => ({ ...one, url: 'build.zip' })) }], '');
    await writeFile(join(folder, 'releases.json'), JSON.stringify(listed));
    const services = await testServices();
    const address = pathToFileURL(join(folder, 'releases.json')).href;
    const { installed } = await installEngine(services, { address }, { signal, onProgress: () => undefined });
    expect(installed).toMatchObject({ release: 'master-3-ccccccc', digestOrigin: 'published' });
  });

  it('takes files from a mirror whose list names them relatively', async () => {
    const { server, install } = await site(archive('two'));
    const [release] = server.releases;
    const name = assetName('master-2-bbbbbbb');
    server.releases = [
      {
        tag: 'master-2-bbbbbbb',
        assets: (release?.assets ?? []).map((one) => ({ ...one, url: `download/master-2-bbbbbbb/${name}` }))
      }
    ];
    expect((await install()).installed.version).toContain('two');
  });

  it('says when another engine is found before the one that was installed, until that one is chosen', async () => {
    const bin = await temporaryFolder();
    await writeFile(join(bin, PROGRAM), engineScript('on the path'), { mode: 0o755 });
    const { services, install } = await site(archive('two'), { options: { environment: { PATH: bin } } });
    expect((await install()).hiddenBy).toEqual({ path: join(bin, PROGRAM), origin: 'path' });
    expect(await versionInUse(services)).toContain('on the path');
    await chooseEngine(services, 'installed', signal);
    expect(await versionInUse(services)).toContain('version two');
  });

  it('says so too when the setting names an engine that is not there', async () => {
    const sdCliPath = join(await temporaryFolder(), 'nosuch');
    const { install } = await site(archive('two'), { options: { sdCliPath } });
    expect((await install()).hiddenBy).toEqual({ path: sdCliPath, origin: 'setting' });
  });
});

describe('an archive without a digest', () => {
  it('is refused before any of it is transferred', async () => {
    const { server, services, install } = await site(archive('two'), { digest: null });
    await expect(install()).rejects.toMatchObject({ code: 'engine-unproved', subject: assetName('master-2-bbbbbbb') });
    expect(server.requests).toEqual(['/releases']);
    expect(await versionsIn(services)).toEqual([]);
  });

  it('is taken when the user gives its digest, and only that one', async () => {
    const bytes = archive('two');
    const { install } = await site(bytes, { digest: null });
    await expect(install({ digests: [sha256(archive('other'))] })).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect((await install({ digests: [sha256(bytes).toUpperCase()] })).installed.digestOrigin).toBe('pinned');
  });

  it('is taken when the user says so, and is remembered as proved by nothing', async () => {
    const { install } = await site(archive('two'), { digest: null });
    expect((await install({ allowUnverified: true })).installed.digestOrigin).toBe('observed');
  });

  it('counts as such when the digest is one of another kind', async () => {
    const { install } = await site(archive('two'), { digest: `sha512:${'a'.repeat(128)}` });
    await expect(install()).rejects.toMatchObject({ code: 'engine-unproved' });
  });
});

describe('an archive that cannot be trusted is refused whatever its digest says, and nothing changes:', () => {
  it.each([
    ['one that names a file outside', zipFile([...engineFiles('bad'), { name: '../../../escaped', content: 'x' }])],
    ['one that was cut off before it was published', archive('bad').subarray(0, -30)],
    ['one without a program', zipFile([{ name: 'README.txt', content: 'x' }])]
  ])('%s', async (_, bytes) => {
    const { server, services, install } = await site(archive('good'));
    await install();
    const before = await versionsIn(services);
    server.releases = [releaseOf('master-9-eeeeeee', bytes)];
    await expect(install()).rejects.toMatchObject({ code: 'bad-archive' });
    expect(await versionInUse(services)).toContain('version good');
    expect(await versionsIn(services)).toEqual(before);
    expect(await partialsIn(services)).toEqual([]);
    expect(await readdir(services.root)).not.toContain('escaped');
  });

  it('one that is a web page', async () => {
    const { services, install } = await site(Buffer.from('<!DOCTYPE html><title>Sign in</title>'));
    await expect(install()).rejects.toMatchObject({
      code: 'bad-response',
      message: expect.stringContaining('web page')
    });
    expect(await versionsIn(services)).toEqual([]);
  });

  it.each([
    ['a web page', '<!DOCTYPE html>', 'is not a program'],
    ['a program for another processor', otherProcessor(), 'another processor'],
    ['a program that is not sd-cli', `#!${process.execPath}\nconsole.log("other")`, 'not sd-cli'],
    ['a program that does not run here', `#!${process.execPath}\nprocess.exit(127)`, 'does not run on this machine']
  ])('%s instead of the program', async (_, content, reason) => {
    const { services, install } = await site(zipFile([{ name: PROGRAM, content, mode: 0o100755 }]));
    await expect(install()).rejects.toMatchObject({
      code: 'engine-unusable',
      message: expect.stringContaining(reason)
    });
    expect(await versionsIn(services)).toEqual([]);
  });

  it('one with another content than its digest', async () => {
    const { services, install } = await site(archive('two'), { digest: `sha256:${sha256(archive('other'))}` });
    await expect(install()).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await versionsIn(services)).toEqual([]);
  });
});

/** The beginning of a Linux program for a processor that nobody has here. */
function otherProcessor(): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header[18] = 22;
  return header;
}

describe('a list of releases', () => {
  it.each([
    ['is a web page', '<!DOCTYPE html>'],
    ['is something else', '{"message":"Not Found"}'],
    ['is cut off', '[{"tag_name":"x","assets":[']
  ])('that %s is told as none', async (_, text) => {
    const { install } = await site(archive('two'));
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'list'), text);
    await expect(install({ address: pathToFileURL(join(folder, 'list')).href })).rejects.toMatchObject({
      code: 'bad-response',
      message: 'The address of the releases does not lead to a list of releases.'
    });
  });

  it('is asked for again when its server is busy', async () => {
    const { server, install } = await site(archive('two'));
    server.refusals = 2;
    await expect(install()).resolves.toBeDefined();
    expect(server.requests.filter((path) => path === '/releases')).toHaveLength(3);
  });

  it('from the network names no file of this machine', async () => {
    const { server, services, install } = await site(archive('two'));
    const [release] = server.releases;
    const assets = (release?.assets ?? []).map((one) => ({ ...one, url: 'file:///etc/passwd' }));
    server.releases = [{ tag: 'x', assets }];
    await expect(install()).rejects.toMatchObject({ code: 'refused-address' });
    expect(await versionsIn(services)).toEqual([]);
  });

  it('is not asked for in an untrusted workspace', async () => {
    const { server, services, install } = await site(archive('two'), { options: { isTrusted: () => false } });
    await expect(install()).rejects.toMatchObject({ code: 'untrusted-workspace' });
    await expect(findOffers(services, {}, signal)).rejects.toMatchObject({ code: 'untrusted-workspace' });
    await expect(chooseEngine(services, null, signal)).rejects.toMatchObject({ code: 'untrusted-workspace' });
    await expect(rollBackEngine(services, signal)).rejects.toMatchObject({ code: 'untrusted-workspace' });
    expect(server.requests).toEqual([]);
  });
});

describe('the engine before', () => {
  it('is gone back to, and forth again', async () => {
    const { server, services, install } = await site(archive('one'));
    await install();
    server.releases = [releaseOf('master-3-ccccccc', archive('two'))];
    await install();
    expect(await versionInUse(services)).toContain('version two');
    expect((await rollBackEngine(services, signal)).version).toContain('version one');
    expect(await versionInUse(services)).toContain('version one');
    await rollBackEngine(services, signal);
    expect(await versionInUse(services)).toContain('version two');
  });

  it('is the only one that is kept, and stays when the same build is installed again', async () => {
    const { server, services, install } = await site(archive('one'));
    await install();
    server.releases = [releaseOf('master-3-ccccccc', archive('two'))];
    await install();
    server.releases = [releaseOf('master-4-ddddddd', archive('three'))];
    await install();
    await install();
    expect(await versionsIn(services)).toHaveLength(2);
    const { installed, previous } = await engineStatus(services, signal);
    expect([installed?.version, previous?.version]).toEqual([
      expect.stringContaining('three'),
      expect.stringContaining('two')
    ]);
  });

  it('is not gone back to when there is none, or when it does not run any more', async () => {
    const { server, services, install } = await site(archive('one'));
    const { installed } = await install();
    await expect(rollBackEngine(services, signal)).rejects.toMatchObject({ code: 'engine-missing' });
    server.releases = [releaseOf('master-3-ccccccc', archive('two'))];
    await install();
    await writeFile(installed.path, 'damaged');
    await expect(rollBackEngine(services, signal)).rejects.toMatchObject({ code: 'engine-unusable' });
    expect(await versionInUse(services)).toContain('version two');
  });
});

describe('an installation', () => {
  it('is done although what is left of an older one cannot be removed, which is logged', async () => {
    const { services, install } = await site(archive('two'));
    await mkdir(join(services.layout.engines, 'versions', 'odd', 'engine.json'), { recursive: true });
    expect((await install()).installed.version).toContain('version two');
    expect(services.logged.filter((line) => line.startsWith('failed removing old engines'))).toHaveLength(1);
  });

  it('tells of a cache that cannot be written before anything is fetched', async () => {
    const { server, services, install } = await site(archive('two'));
    await writeFile(services.layout.engines, 'no folder');
    await expect(install()).rejects.toMatchObject({ code: 'file-access', subject: expect.stringContaining('engine') });
    expect(server.requests).toEqual([]);
  });
});

describe('an installation that is cut short', () => {
  it('leaves nothing but what was received when it is cancelled, and goes on with that', async () => {
    const bytes = zipFile([...engineFiles('two'), { name: 'large.bin', content: sampleBytes(2_000_000) }]);
    const { server, services, install } = await site(bytes);
    const cancel = new AbortController();
    server.intercept = (_, response) => {
      response.writeHead(200, { 'Content-Length': bytes.length, 'Accept-Ranges': 'bytes', ETag: `"${sha256(bytes)}"` });
      response.write(bytes.subarray(0, -1000));
      return true;
    };
    const cancelled = installEngine(
      services,
      {},
      {
        signal: cancel.signal,
        onProgress: (progress) => {
          if (progress.phase === 'fetching' && progress.receivedBytes > 0) cancel.abort();
        }
      }
    );
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect(await versionsIn(services)).toEqual([]);
    server.intercept = () => false;
    expect((await install()).installed.version).toContain('two');
  });

  it('is refused while another one is under way', async () => {
    const { server, install } = await site(archive('two'));
    const cancel = new AbortController();
    const asked = new Promise<void>((resolve) => {
      server.intercept = () => {
        resolve();
        return true;
      };
    });
    const first = install({}, cancel.signal);
    await asked;
    await expect(install()).rejects.toMatchObject({ code: 'busy' });
    cancel.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('leaves nothing behind once its process is dead, wherever it was', async () => {
    const { services, install } = await site(archive('two'));
    await install();
    const versions = join(services.layout.engines, 'versions');
    const [good = ''] = await versionsIn(services);
    // Dead before the version got its name, and dead before it was selected.
    const gone = { ...(await ownIdentity()), pid: 2 ** 22 + 1, startTime: '1' };
    await mkdir(join(versions, `.${ownerTag(gone, 'abc')}.tmp`, 'files'), { recursive: true });
    await mkdir(join(versions, 'unselected', 'files'), { recursive: true });
    const record = JSON.parse(await readFile(join(versions, good, 'engine.json'), 'utf8'));
    await writeFile(join(versions, 'unselected', 'engine.json'), JSON.stringify({ ...record, installer: gone }));
    await cleanUp(services);
    expect(await versionsIn(services)).toEqual([good]);
    expect(await versionInUse(services)).toContain('version two');
  });
});
