import { beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy, REFUSALS, type S3Fault, type SeenRequest } from '../../support/s3/fault-proxy';
import { askS3, createBucket, RADOSGW, type S3Server, s3Server } from '../../support/s3/s3-server';
import { sampleBytes } from '../../support/sample-bytes';

const CONTENT = sampleBytes(2_000_000);

describe.skipIf(RADOSGW === undefined)('a proxy in front of an S3 server', () => {
  let server: S3Server;
  let path: string;

  beforeEach(async () => {
    server = await s3Server();
    path = `/${await createBucket(server)}/object`;
    expect((await askS3(server, 'PUT', path, { body: CONTENT })).status).toBe(200);
  });

  const putByte = (byte: number) => askS3(server, 'PUT', path, { body: Buffer.of(byte) });

  /** The server behind a proxy that has one kind of request go wrong, the first time only. */
  async function behind(method: string, fault: S3Fault): Promise<S3Server & { readonly proxy: FaultProxy }> {
    const isMeant = (request: SeenRequest): boolean => request.method === method && request.nth === 0;
    const proxy = await FaultProxy.start(server, (request) => (isMeant(request) ? fault : undefined));
    return { ...server, endpoint: proxy.endpoint, proxy };
  }

  const contentThrough = async (through: S3Server) =>
    Buffer.from(await (await askS3(through, 'GET', path)).arrayBuffer());

  it('lets requests pass as they are, and tells what was asked', async () => {
    const through = await behind('DELETE', REFUSALS.slowDown);
    const part = await askS3(through, 'GET', path, { headers: { range: 'bytes=5-9' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(CONTENT.subarray(5, 10));
    expect((await askS3(through, 'HEAD', path)).headers.get('content-length')).toBe(String(CONTENT.length));
    expect(through.proxy.requests).toMatchObject([
      { method: 'GET', path, nth: 0, headers: { range: 'bytes=5-9' } },
      { method: 'HEAD', path, nth: 0 }
    ]);
  });

  it.each(Object.values(REFUSALS))('refuses a request in the words of S3: $code', async (fault) => {
    const through = await behind('PUT', { ...fault, retryAfter: '1' });
    const answer = await askS3(through, 'PUT', path, { body: sampleBytes(500_000, 2) });
    expect(answer.status).toBe(fault.status);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.text()).toContain(`<Code>${fault.code}</Code>`);
    expect((await contentThrough(through)).equals(CONTENT)).toBe(true);
    expect((await askS3(through, 'PUT', path, { body: sampleBytes(10, 2) })).status).toBe(200);
    expect(await contentThrough(through)).toEqual(sampleBytes(10, 2));
  });

  it('breaks an upload before the server has it', async () => {
    const through = await behind('PUT', { kind: 'upload-reset', afterBytes: 100_000 });
    await expect(askS3(through, 'PUT', path, { body: sampleBytes(1_000_000, 2) })).rejects.toThrow('fetch failed');
    expect((await contentThrough(through)).equals(CONTENT)).toBe(true);
  });

  it('loses the answer of what the server has done', async () => {
    const through = await behind('PUT', { kind: 'answer-lost' });
    await expect(askS3(through, 'PUT', path, { body: sampleBytes(10, 2) })).rejects.toThrow('fetch failed');
    expect(await contentThrough(through)).toEqual(sampleBytes(10, 2));
  });

  it.each([
    { kind: 'download-reset', afterBytes: 700_000 },
    { kind: 'truncated', afterBytes: 700_000 }
  ] as const)('gives a part of a body only: $kind', async (fault) => {
    const through = await behind('GET', fault);
    const answer = await askS3(through, 'GET', path);
    expect(answer.headers.get('content-length')).toBe(String(CONTENT.length));
    await expect(answer.arrayBuffer()).rejects.toThrow('terminated');
    expect((await contentThrough(through)).equals(CONTENT)).toBe(true);
  });

  it('sends a body slowly, and whole', async () => {
    const through = await behind('GET', { kind: 'slow', chunkBytes: 400_000, pauseMs: 5 });
    expect((await contentThrough(through)).equals(CONTENT)).toBe(true);
  });

  it('tells another version than the server does', async () => {
    const through = await behind('HEAD', { kind: 'answer-header', name: 'etag', value: '"0"' });
    expect((await askS3(through, 'HEAD', path)).headers.get('etag')).toBe('"0"');
    expect((await askS3(through, 'HEAD', path)).headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
  });

  it.each([
    ['before a request', 'preceded', 2],
    ['after the server has answered', 'followed', 1]
  ] as const)('has something else happen %s', async (_, kind, expected) => {
    await putByte(1);
    expect(await contentThrough(await behind('GET', { kind, by: () => putByte(2) }))).toEqual(Buffer.of(expected));
  });
});
