import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startModelServer } from '../../../scripts/model-server.mjs';

type Server = Awaited<ReturnType<typeof startModelServer>>;

const content = randomBytes(100_000);
const etag = `"${createHash('sha256').update(content).digest('hex')}"`;
let folder: string;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'model-server-'));
  writeFileSync(path.join(folder, 'weights.gguf'), content);
  server = await startModelServer({ folder });
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function get(headers: Record<string, string> = {}, method = 'GET', origin = server.origin) {
  const response = await fetch(`${origin}/weights.gguf`, { headers, method });
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

/** The status of a request whose path is sent exactly as given, with its dots. */
function statusOf(address: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ port: server.port, host: '127.0.0.1', path: address }, (response) => {
      text(response).then(() => resolve(response.statusCode), reject);
    });
    sent.once('error', reject).end();
  });
}

describe('the model server', () => {
  it('answers with the whole file, its length and its digest as strong ETag', async () => {
    const { status, headers, body } = await get({ 'Accept-Encoding': 'gzip, br' });
    expect(status).toBe(200);
    expect(body.equals(content)).toBe(true);
    expect(headers.get('etag')).toBe(etag);
    expect(headers.get('content-length')).toBe('100000');
    expect(headers.get('accept-ranges')).toBe('bytes');
    expect(headers.get('content-encoding')).toBeNull();
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=99999-', 99_999, 100_000],
    ['bytes=99990-200000', 99_990, 100_000],
    ['bytes=-5', 99_995, 100_000],
    ['bytes=-200000', 0, 100_000]
  ])('answers %s with just these bytes', async (range, start, end) => {
    const { status, headers, body } = await get({ Range: range });
    expect(status).toBe(206);
    expect(headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/100000`);
    expect(body.equals(content.subarray(start, end))).toBe(true);
  });

  it.each(['bytes=100000-', 'bytes=-0'])('refuses %s, which holds no byte', async (range) => {
    const { status, headers } = await get({ Range: range });
    expect(status).toBe(416);
    expect(headers.get('content-range')).toBe('bytes */100000');
  });

  it.each(['bytes=0-1,4-5', 'bytes=9-3', 'bytes=-', 'lines=1-2'])('answers %s in full', async (range) => {
    expect((await get({ Range: range })).status).toBe(200);
  });

  it('gives a range only of the content that If-Range names', async () => {
    expect((await get({ Range: 'bytes=0-9', 'If-Range': etag })).status).toBe(206);
    expect((await get({ Range: 'bytes=0-9', 'If-Range': '"another"' })).status).toBe(200);
  });

  it('answers HEAD without a body and other methods not at all', async () => {
    const head = await get({}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('100000');
    expect((await get({}, 'POST')).status).toBe(405);
  });

  it('notices that a file has changed', async () => {
    await get();
    writeFileSync(path.join(folder, 'weights.gguf'), 'new');
    const { headers, body } = await get();
    expect(headers.get('etag')).not.toBe(etag);
    expect(body.toString()).toBe('new');
  });

  it('serves an empty file', async () => {
    writeFileSync(path.join(folder, 'weights.gguf'), '');
    expect((await get()).headers.get('content-length')).toBe('0');
    expect((await get({ Range: 'bytes=0-' })).status).toBe(416);
  });

  it('serves nothing outside its folder', async () => {
    mkdirSync(`${folder}-beside`);
    writeFileSync(path.join(`${folder}-beside`, 'secret'), 'secret');
    const beside = `${path.basename(folder)}-beside`;
    for (const address of [`/../${beside}/secret`, `/..%2f${beside}%2fsecret`, '/', '/nothing', '/%']) {
      expect(await statusOf(address)).toBe(404);
    }
    rmSync(`${folder}-beside`, { recursive: true });
  });

  it('takes another port when the wanted one is in use', async () => {
    const second = await startModelServer({ folder, port: server.port });
    expect(second.port).not.toBe(server.port);
    expect((await get({}, 'GET', second.origin)).status).toBe(200);
    await second.close();
  });

  it('sends no faster than it was told', async () => {
    const slow = await startModelServer({ folder, bytesPerSecond: 200_000 });
    const started = performance.now();
    expect((await get({}, 'GET', slow.origin)).body.equals(content)).toBe(true);
    expect(performance.now() - started).toBeGreaterThan(450);
    await slow.close();
  });

  it('leaves an answer to the hook that began it', async () => {
    const seen: string[] = [];
    const hooked = await startModelServer({
      folder,
      onRequest: (incoming, response, file) => {
        seen.push(`${incoming.method} ${path.basename(file.path)} ${file.bytes}`);
        if (incoming.headers.range) response.writeHead(503).end();
      }
    });
    expect((await get({}, 'GET', hooked.origin)).status).toBe(200);
    expect((await get({ Range: 'bytes=0-9' }, 'GET', hooked.origin)).status).toBe(503);
    expect(seen).toEqual(['GET weights.gguf 100000', 'GET weights.gguf 100000']);
    await hooked.close();
  });

  it('drops the connection when the hook throws, and goes on serving', async () => {
    let calls = 0;
    const broken = await startModelServer({
      folder,
      onRequest: () => {
        calls += 1;
        if (calls === 1) throw new Error('as wanted');
      }
    });
    await expect(get({}, 'GET', broken.origin)).rejects.toThrow();
    expect((await get({}, 'GET', broken.origin)).status).toBe(200);
    await broken.close();
  });
});
