import { describe, expect, it, onTestFinished } from 'vitest';
import { storeKey } from '../../../server/artifacts/store-key';
import { type RawAnswer, type RawRequest, respond, startRawServer } from '../../support/raw-http-server';
import { testServices } from '../../support/test-services';
import { openS3Store } from './s3-site';

const [KEY, COPY] = [storeKey('weights.gguf'), storeKey('copy')];

const { signal } = new AbortController();

/** A store that speaks little of S3, and every request but HEAD that it got. */
async function storeThatSays(answer: RawAnswer, answerHead?: RawAnswer) {
  const server = await startRawServer(answer, answerHead);
  onTestFinished(() => server.close());
  const services = await testServices();
  const held = new Set<object>();
  const http: typeof services.http = {
    ...services.http,
    async send(...request) {
      const sent = await services.http.send(...request);
      const answered = {
        ...sent,
        discard: () => {
          held.delete(answered);
          sent.discard();
        }
      };
      held.add(answered);
      return answered;
    }
  };
  const site = { endpoint: server.origin, accessKeyId: 'KEY', secretAccessKey: 'secret' };
  const store = await openS3Store(site, { bucket: 'bucket', services: { ...services, http } });
  return { store, requests: server.requests, held };
}

const partsOf = (requests: readonly RawRequest[]): string[] => requests.map(({ method, path }) => `${method} ${path}`);

describe('a store', () => {
  it('that does not say how large an object is copies it with one request', async () => {
    const copied = '<CopyObjectResult><ETag>"v1"</ETag></CopyObjectResult>';
    const { store, requests } = await storeThatSays(
      (_, socket) => respond(socket, 200, { 'Content-Length': copied.length }, copied),
      (_, socket) => respond(socket, 200, { ETag: '"v1"', 'Transfer-Encoding': 'chunked' })
    );
    expect(await store.copy(KEY, COPY, signal)).toBe(true);
    expect(partsOf(requests)).toEqual(['PUT /bucket/team/models/copy']);
    expect(requests[0]?.headers).toMatchObject({ 'x-amz-copy-source': '/bucket/team/models/weights.gguf' });
  });

  it('that refuses a look is asked why, and neither answer is held on to', async () => {
    const why = '<Error><Code>AccessDenied</Code></Error>';
    const { store, requests, held } = await storeThatSays(
      (_, socket) => respond(socket, 403, { 'Content-Length': why.length }, why),
      (_, socket) => respond(socket, 403, { 'Content-Length': why.length })
    );
    await expect(store.head(KEY, signal)).rejects.toThrow('AccessDenied');
    expect(partsOf(requests)).toEqual(['GET /bucket/team/models/weights.gguf']);
    expect(held.size).toBe(0);
  });
});
