import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { AccessKeys } from '../../../server/artifacts/s3/access-keys';
import { storeKey } from '../../../server/artifacts/store-key';
import { ContentChanged } from '../../../server/pull/source';
import { parseDigest } from '../../../shared/digest';
import {
  asText,
  CONTENT,
  fileOf,
  KEY,
  LONG,
  putBytes,
  readObject,
  signal,
  swapText,
  textOf,
  wanting
} from '../../support/artifacts/store-under-test';
import { FaultProxy, REFUSALS, type S3Fault, type SeenRequest } from '../../support/s3/fault-proxy';
import { askS3, createBucket, RADOSGW, s3Server } from '../../support/s3/s3-server';
import { testServices } from '../../support/test-services';
import { openS3Store, type SiteOptions } from './s3-site';

type Faults = (request: SeenRequest) => S3Fault | undefined;

/** A store behind a proxy that has requests go wrong, and the same store without it. */
async function faultySite(faults: Faults, options: Partial<SiteOptions> = {}) {
  const server = await s3Server();
  const bucket = await createBucket(server);
  const proxy = await FaultProxy.start(server, faults);
  const store = await openS3Store({ ...server, endpoint: proxy.endpoint }, { bucket, prefix: 'p', ...options });
  const plain = await openS3Store(server, { bucket, prefix: 'p' });
  const overwrite = (key: string, body: Uint8Array) => askS3(server, 'PUT', `/${bucket}/p/${key}`, { body });
  return { store, plain, proxy, overwrite };
}

/** Of the requests of one kind the first one goes wrong. */
function firstOf(isMeant: (request: SeenRequest) => boolean, fault: S3Fault): Faults {
  let isDone = false;
  return (request) => {
    if (isDone || !isMeant(request)) return undefined;
    isDone = true;
    return fault;
  };
}

const isPart = ({ method, query }: SeenRequest): boolean => method === 'PUT' && query.get('partNumber') === '2';

const isJoining = ({ method, query }: SeenRequest): boolean => method === 'POST' && query.has('uploadId');

const isWrite = ({ method, path }: SeenRequest): boolean => method === 'PUT' && path.endsWith('/_current.json');

const isReading = ({ method }: SeenRequest): boolean => method === 'GET';

async function expectNoUploads(store: ObjectStore): Promise<void> {
  expect(await store.endUploads?.(Number.MAX_SAFE_INTEGER, signal)).toBe(0);
}

describe.skipIf(!RADOSGW)('an upload in parts', () => {
  it.each<[string, S3Fault]>([
    ['is asked to slow down', REFUSALS.slowDown],
    ['meets a fault of the server', REFUSALS.internalError],
    ['is said to be too slow', REFUSALS.requestTimeout],
    ['loses its connection', { kind: 'upload-reset', afterBytes: 1_000_000 }],
    ['loses an answer', { kind: 'answer-lost' }]
  ])('that %s sends that part again, and no other', async (_, fault) => {
    const { store, plain, proxy } = await faultySite(firstOf(isPart, fault));
    const facts = await store.put(KEY, await fileOf(LONG), { signal });
    expect(await plain.head(KEY, signal)).toEqual(facts);
    expect((await readObject(plain.source(KEY))).equals(LONG)).toBe(true);
    const parts = proxy.requests.flatMap(({ query }) => query.get('partNumber') ?? []);
    expect(parts.toSorted()).toEqual(['1', '2', '2', '3', '4', '5']);
    await expectNoUploads(plain);
  });

  it('whose last answer is lost is found to be whole', async () => {
    const { store, plain } = await faultySite(firstOf(isJoining, { kind: 'answer-lost' }));
    const facts = await store.put(KEY, await fileOf(LONG), { signal });
    expect(await plain.head(KEY, signal)).toEqual(facts);
    await expectNoUploads(plain);
  });

  it('that is refused for good leaves nothing behind', async () => {
    const denied: S3Fault = { kind: 'refused', status: 403, code: 'AccessDenied' };
    const { store, plain } = await faultySite((request) => (isPart(request) ? denied : undefined));
    await expect(store.put(KEY, await fileOf(LONG), { signal })).rejects.toMatchObject({
      code: 'http-status',
      message: expect.stringMatching(/refuses access .*AccessDenied/),
      nextStep: expect.stringContaining('the key of the test')
    });
    expect(await plain.head(KEY, signal)).toBeUndefined();
    await expectNoUploads(plain);
  });

  it('that never gets through gives up after some attempts and leaves nothing behind', async () => {
    const { store, plain, proxy } = await faultySite((request) => (isPart(request) ? REFUSALS.slowDown : undefined));
    await expect(store.put(KEY, await fileOf(LONG), { signal })).rejects.toMatchObject({ status: 503 });
    expect(proxy.requests.filter(isPart).length).toBe(5);
    expect(store.services.clock.waits.length).toBeGreaterThanOrEqual(4);
    await expectNoUploads(plain);
  });

  it.each([1000, LONG.length])('of a file of %i bytes that is not what it was said to be is refused', async (bytes) => {
    const { store, plain } = await faultySite(() => undefined);
    const file = { ...(await fileOf(LONG.subarray(0, bytes))), digest: parseDigest('0'.repeat(64))! };
    await expect(store.put(KEY, file, { signal })).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await plain.head(KEY, signal)).toBeUndefined();
    await expectNoUploads(plain);
  });
});

describe.skipIf(!RADOSGW)('a copy in parts', () => {
  it('is made of what is too large for one request', async () => {
    const { store, proxy } = await faultySite(() => undefined);
    await store.put(KEY, await fileOf(LONG), { signal });
    expect(await store.copy(KEY, storeKey('copy'), signal)).toBe(true);
    expect((await readObject(store.source(storeKey('copy')))).equals(LONG)).toBe(true);
    expect(proxy.requests.filter(({ headers }) => headers['x-amz-copy-source-range']).length).toBe(5);
    await expectNoUploads(store);
  });
});

describe.skipIf(!RADOSGW)('a document', () => {
  it('that was written is known to be, although the answer was lost', async () => {
    const { store, plain } = await faultySite(firstOf(isWrite, { kind: 'answer-lost' }));
    const version = await swapText(store, 'ours', null);
    expect(await plain.readDocument(storeKey('tiny', { reserved: '_current.json' }), { signal, limit: 10 })).toEqual({
      bytes: Buffer.from('ours'),
      version
    });
  });

  it('that somebody else wrote meanwhile is a lost race, although an answer was lost', async () => {
    const others: { write?: () => Promise<unknown> } = {};
    const { store, overwrite, plain } = await faultySite(
      firstOf(isWrite, { kind: 'preceded', by: async () => others.write?.() })
    );
    others.write = () => overwrite('tiny/_current.json', Buffer.from('theirs'));
    expect(await swapText(store, 'ours', null)).toBeUndefined();
    expect(
      asText(await plain.readDocument(storeKey('tiny', { reserved: '_current.json' }), { signal, limit: 10 }))
    ).toBe('theirs');
  });

  it('asks a store once whether it keeps conditions, and leaves nothing of that', async () => {
    const { store, plain, proxy } = await faultySite(() => undefined);
    for (const key of ['a', 'b', 'c']) await swapText(store, key, null, storeKey(key));
    expect(new Set(proxy.requests.flatMap(({ path }) => /_probe-\w+/.exec(path)?.[0] ?? [])).size).toBe(1);
    const keys: string[] = [];
    for await (const { key } of plain.list(null, signal)) keys.push(key);
    expect(keys.toSorted()).toEqual(['a', 'b', 'c']);
  });
});

describe('a store that takes conditions and does not keep them', () => {
  it('is not written documents to', async () => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(200, { etag: '"0123"' }).end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = await openS3Store({ endpoint, accessKeyId: 'a', secretAccessKey: 'b' }, { bucket: 'bucket' });
    await expect(swapText(store, 'ours', null)).rejects.toMatchObject({
      code: 'store-unfit',
      subject: 's3://bucket',
      nextStep: expect.stringMatching(/If-Match/)
    });
  });
});

describe('a store that minds no prefix', () => {
  it('has only uploads of ours ended', async () => {
    const uploads = ['team/models/tiny/weights.gguf', 'another/models/tiny/weights.gguf'].map(upload);
    const listing = `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join('')}</ListMultipartUploadsResult>`;
    const ended: string[] = [];
    const server = createServer(({ method, url = '' }, response) => {
      if (method === 'DELETE') ended.push(url.split('?')[0] ?? '');
      response.writeHead(200).end(method === 'GET' ? listing : '');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = await openS3Store({ endpoint, accessKeyId: 'a', secretAccessKey: 'b' }, { bucket: 'bucket' });
    expect(await store.endUploads?.(Date.now(), signal)).toBe(1);
    expect(ended).toEqual(['/bucket/team/models/tiny/weights.gguf']);
  });
});

describe.skipIf(!RADOSGW)('a request', () => {
  it('is signed with the time of the store when the clock of this machine is wrong, and that is said once', async () => {
    const services = await testServices();
    const late = { ...services.clock, now: () => Date.now() - 3 * 3_600_000 };
    const { store } = await faultySite(() => undefined, { services: { ...services, clock: late } });
    await putBytes(store, KEY, CONTENT);
    await expect(textOf(store, KEY)).resolves.toBeDefined();
    const warnings = services.logged.filter((line) => line.includes('clock of this machine is wrong'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/"minutes":180/);
  });

  it('is signed with the newer key once the old one is refused', async () => {
    const { accessKeyId: id, secretAccessKey: secret } = await s3Server();
    const keys = [
      { id: 'ENDED', secret },
      { id, secret }
    ].values();
    const read = async () => keys.next().value ?? { id: 'none', secret: 'left' };
    const { store, proxy } = await faultySite(() => undefined, { keys: new AccessKeys('the test', read, Date.now) });
    await putBytes(store, KEY, CONTENT);
    await putBytes(store, KEY, CONTENT);
    expect(proxy.requests.map(({ headers }) => /Credential=(\w+)/.exec(headers['authorization'] ?? '')?.[1])).toEqual([
      'ENDED',
      id,
      id
    ]);
  });

  it('whose key has ended says so when there is no newer one', async () => {
    const { store, proxy } = await faultySite(() => REFUSALS.expiredToken);
    await expect(putBytes(store, KEY, CONTENT)).rejects.toMatchObject({
      message: expect.stringMatching(/has expired \(ExpiredToken/),
      nextStep: expect.stringContaining('the key of the test'),
      remedy: { kind: 'credential' }
    });
    expect(proxy.requests).toHaveLength(1);
  });

  it('for a bucket that is not there says so, whatever it asks for', async () => {
    const store = await openS3Store(await s3Server(), { bucket: 'no-such-bucket' });
    const failure = { code: 'http-status', message: expect.stringContaining('has no bucket no-such-bucket') };
    await expect(putBytes(store, KEY, CONTENT)).rejects.toMatchObject(failure);
    await expect(textOf(store, KEY)).rejects.toMatchObject(failure);
    await expect(store.head(KEY, signal)).rejects.toMatchObject(failure);
    await expect(swapText(store, 'x', null)).rejects.toMatchObject(failure);
  });

  it('that is redirected to another region names it', async () => {
    const { store } = await faultySite(() => ({ kind: 'refused', status: 307, code: 'TemporaryRedirect' }));
    await expect(putBytes(store, KEY, CONTENT)).rejects.toMatchObject({
      message: expect.stringContaining('us-east-1'),
      nextStep: expect.stringContaining('region')
    });
  });
});

describe.skipIf(!RADOSGW)('an object that is read', () => {
  it('is not taken for the one that was begun when its ETag is another one', async () => {
    const { store, plain } = await faultySite((request) =>
      isReading(request) ? { kind: 'answer-header', name: 'etag', value: '"another"' } : undefined
    );
    const facts = await putBytes(plain, KEY, CONTENT);
    await expect(store.source(KEY, facts).open(wanting({}))).rejects.toBeInstanceOf(ContentChanged);
    await expect(store.source(KEY).open(wanting({ start: 5, validator: `"${facts.version}"` }))).rejects.toBeInstanceOf(
      ContentChanged
    );
  });

  it.each<[string, S3Fault]>([
    ['breaks off', { kind: 'download-reset', afterBytes: 100_000 }],
    ['ends early', { kind: 'truncated', afterBytes: 100_000 }],
    ['is refused for a while', REFUSALS.slowDown]
  ])('is read again when it %s', async (_, fault) => {
    const { store, plain } = await faultySite(firstOf(isReading, fault));
    await putBytes(plain, KEY, CONTENT);
    const found = await store.read(KEY, { signal, limit: CONTENT.length });
    expect(CONTENT.equals(found?.bytes ?? Buffer.alloc(0))).toBe(true);
  });
});

/** An unfinished upload of a key, as a list of S3 has it. */
function upload(key: string): string {
  return `<Upload><Key>${key}</Key><UploadId>1</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated></Upload>`;
}
