import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../server/platform/clock';
import type { PullEvent } from '../../../shared/job-events';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { NGINX, Nginx } from '../../support/servers/nginx';
import {
  pullManifest,
  type TestFile,
  type TestServices,
  testServices,
  writeManifest
} from '../../support/test-services';

const MIB = 1024 * 1024;

/** The first MiB comes at once and the rest slowly, so that something can happen meanwhile, until `hurry`. */
const SLOW = 'set $rate 1m; if (-f $document_root/hurry) { set $rate 0; } limit_rate $rate;';

/** What is asked for from now on comes at once. */
async function hurry(nginx: Nginx): Promise<void> {
  await nginx.serve('hurry', '');
}

const SMALL = sampleBytes(2.5 * MIB);
const OTHER = sampleBytes(2.5 * MIB, 77);

/** Large enough to be shared by connections. */
const LARGE = Buffer.concat(Array.from({ length: 5 }, (_, part) => sampleBytes(16 * MIB, part + 1)));

/** A clock by which every second takes more work than the one before, so that more connections seem to pay. */
function growingClock(): Clock {
  let [now, step] = [0, 40];
  return {
    now: () => Date.now(),
    elapsed() {
      const second = Math.floor(now / 1000);
      now += step;
      if (Math.floor(now / 1000) > second) step *= 0.6;
      return now;
    },
    sleep: () => Promise.resolve()
  };
}

/** Calls a function once, when the first bytes of a file have arrived. */
function atFirstBytes(act: () => void): (event: PullEvent) => void {
  let called = false;
  return (event) => {
    if (called || event.type !== 'file_progress' || event.receivedBytes === 0) return;
    called = true;
    act();
  };
}

async function pulledBytes(services: TestServices, file: TestFile, onEvent?: (event: PullEvent) => void) {
  const manifest = await writeManifest([{ filename: 'weights.gguf', ...file }]);
  const { folder } = await pullManifest(services, manifest, onEvent && { onEvent });
  return readFile(join(folder, 'weights.gguf'));
}

const total = (requests: readonly { readonly bodyBytes: number }[]): number =>
  requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);

describe.skipIf(NGINX === undefined)('a pull from nginx', () => {
  it('goes on after a cancel with a range of the version that was begun', async () => {
    const nginx = await Nginx.start({ server: SLOW });
    const services = await testServices();
    const manifest = await writeManifest([{ url: await nginx.serve('w', SMALL), sha256: sha256(SMALL) }]);
    const stop = new AbortController();
    const cancelled = pullManifest(services, manifest, {
      signal: stop.signal,
      onEvent: atFirstBytes(() => stop.abort())
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await hurry(nginx);
    const { folder } = await pullManifest(services, manifest);
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(sha256(SMALL));
    const resumed = (await nginx.requests()).at(-1);
    expect(resumed).toMatchObject({ status: 206, ifRange: expect.stringMatching(/^"[0-9a-f]+-280000"$/) });
    expect(resumed?.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(resumed?.bodyBytes).toBeLessThan(SMALL.length);
  });

  it('keeps one connection for all files of a model', async () => {
    const nginx = await Nginx.start();
    const files = await Promise.all(
      ['a', 'b', 'c'].map(async (filename) => ({ filename, url: await nginx.serve(filename, SMALL.subarray(0, MIB)) }))
    );
    await pullManifest(await testServices(), await writeManifest(files.map((file) => ({ ...file, role: 'lora' }))));
    const downloads = (await nginx.requests()).filter(({ method }) => method === 'GET');
    expect(downloads).toHaveLength(3);
    expect(new Set(downloads.map(({ connection }) => connection)).size).toBe(1);
  });

  it('shares a large file among connections when each of them is limited, and fetches no byte twice', async () => {
    const nginx = await Nginx.start({ server: 'limit_rate 20m;' });
    const services = await testServices({ clock: growingClock() });
    const bytes = await pulledBytes(services, { url: await nginx.serve('w', LARGE), sha256: sha256(LARGE) });
    expect(sha256(bytes)).toBe(sha256(LARGE));
    const requests = (await nginx.requests()).filter(({ method }) => method === 'GET');
    expect(new Set(requests.map(({ connection }) => connection)).size).toBeGreaterThan(4);
    const ranges = requests.filter(({ range }) => range !== '');
    expect(ranges.every(({ status, ifRange }) => status === 206 && ifRange !== '')).toBe(true);
    expect(new Set(ranges.map(({ range }) => range)).size).toBe(ranges.length);
    // The first connection asked for all of it; what it had not read when others came is cut off.
    expect(total(ranges)).toBeLessThan(LARGE.length);
  });

  it.each([429, 503])('goes on with the connections it may have when more are refused with %d', async (status) => {
    const nginx = await Nginx.start({
      http: 'limit_conn_zone $server_addr zone=all:1m;',
      server: `limit_rate 20m; limit_conn all 2; limit_conn_status ${status};`
    });
    const services = await testServices({ clock: growingClock() });
    const bytes = await pulledBytes(services, { url: await nginx.serve('w', LARGE), sha256: sha256(LARGE) });
    expect(sha256(bytes)).toBe(sha256(LARGE));
    const statuses = (await nginx.requests()).map((request) => request.status);
    expect(statuses).toContain(status);
    expect(statuses).toContain(206);
  });

  it('gets the plain bytes where everything is compressed for others', async () => {
    const nginx = await Nginx.start({ http: 'gzip on; gzip_types *; gzip_min_length 0;' });
    const text = 'compressible '.repeat(10_000);
    const url = await nginx.serve('w', text);
    expect((await fetch(url)).headers.get('content-encoding')).toBe('gzip');
    expect((await pulledBytes(await testServices(), { url, sha256: sha256(Buffer.from(text)) })).toString()).toBe(text);
    expect((await nginx.requests()).at(-1)).toMatchObject({ acceptEncoding: 'identity', bodyBytes: text.length });
  });

  it('follows its redirects, relative ones too', async () => {
    const nginx = await Nginx.start({
      server: `
        location = /moved { return 301 /found; }
        location = /found { absolute_redirect off; return 302 ./files/w; }
        location /files/ { rewrite ^/files/(.*) /$1 break; }`
    });
    await nginx.serve('w', SMALL);
    const bytes = await pulledBytes(await testServices(), { url: `${nginx.origin}/moved`, sha256: sha256(SMALL) });
    expect(sha256(bytes)).toBe(sha256(SMALL));
  });

  it('never takes an error page for the file', async () => {
    const nginx = await Nginx.start({
      server: 'location = /gone { return 410; } location = /page { error_page 404 =200 /sorry.html; }'
    });
    await nginx.serve('sorry.html', '<h1>Sorry</h1>');
    const outcome = (path: string) =>
      testServices().then((services) => pulledBytes(services, { url: nginx.origin + path }));
    await expect(outcome('/missing')).rejects.toMatchObject({
      code: 'http-status',
      message: expect.stringContaining('404')
    });
    await expect(outcome('/gone')).rejects.toMatchObject({
      code: 'http-status',
      message: expect.stringContaining('410')
    });
    await expect(outcome('/page')).rejects.toMatchObject({
      code: 'bad-response',
      message: expect.stringContaining('web page')
    });
  });
});

/** Pulls a file; with its first bytes nginx is killed, `meanwhile` is done, and nginx starts again. */
async function pullThroughOutage(
  nginx: Nginx,
  file: TestFile,
  meanwhile: () => Promise<unknown> = () => Promise.resolve()
): Promise<Buffer> {
  let restarted: Promise<void> | undefined;
  // Every wait for another attempt ends when nginx is there again.
  const services = await testServices({ clock: { ...systemClock, sleep: async () => restarted } });
  const restart = async (): Promise<void> => {
    await nginx.kill();
    await meanwhile();
    await hurry(nginx);
    await nginx.restart();
  };
  const act = atFirstBytes(() => {
    restarted = restart();
  });
  return pulledBytes(services, file, act);
}

describe.skipIf(NGINX === undefined)('a pull from nginx that dies on the way', () => {
  it('goes on where it was when nginx is back', async () => {
    const nginx = await Nginx.start({ server: SLOW });
    const bytes = await pullThroughOutage(nginx, { url: await nginx.serve('w', SMALL), sha256: sha256(SMALL) });
    expect(sha256(bytes)).toBe(sha256(SMALL));
    const [resumed, ...more] = (await nginx.requests()).filter(({ range }) => range !== '');
    expect(resumed).toMatchObject({ status: 206 });
    expect(more).toEqual([]);
  });

  it('begins anew, once, when the file was replaced meanwhile', async () => {
    const nginx = await Nginx.start({ server: SLOW });
    const url = await nginx.serve('w', SMALL);
    const longer = Buffer.concat([OTHER, OTHER.subarray(0, 1000)]);
    const bytes = await pullThroughOutage(nginx, { url }, () => nginx.serve('w', longer));
    expect(sha256(bytes)).toBe(sha256(longer));
    const [refused, ...rest] = (await nginx.requests()).slice(-2);
    // The range was asked for of the old version only, so that nginx answered with the whole of the new one.
    expect(refused).toMatchObject({ status: 200, range: expect.stringMatching(/^bytes=/) });
    expect(rest).toMatchObject([{ status: 200, range: '', bodyBytes: longer.length }]);
  });

  it('fails by the digest when the file is not the promised one any more', async () => {
    const nginx = await Nginx.start({ server: SLOW });
    const promised = { url: await nginx.serve('w', SMALL), sha256: sha256(SMALL) };
    const longer = Buffer.concat([OTHER, OTHER.subarray(0, 1000)]);
    await expect(pullThroughOutage(nginx, promised, () => nginx.serve('w', longer))).rejects.toMatchObject({
      code: 'digest-mismatch'
    });
  });

  it('notices by the digest that the file was written over while it was sent', async () => {
    const nginx = await Nginx.start({ server: SLOW });
    const services = await testServices();
    const url = await nginx.serve('w', SMALL);
    let written: Promise<unknown> | undefined;
    const bytes = await pulledBytes(
      services,
      { url, sha256: sha256(OTHER) },
      atFirstBytes(() => {
        written = Promise.all([nginx.serve('w', OTHER), hurry(nginx)]);
      })
    );
    await written;
    expect(sha256(bytes)).toBe(sha256(OTHER));
    expect(services.logged.join('\n')).toContain('digest differs');
  });
});
