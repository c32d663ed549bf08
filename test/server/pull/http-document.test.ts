import { expect, it, onTestFinished } from 'vitest';
import { readDocument } from '../../../server/pull/http/http-document';
import { respond, startRawServer } from '../../support/raw-http-server';
import { testServices } from '../../support/test-services';

it('a document of several MiB is read whole and in order', async () => {
  const text = Array.from({ length: 400_000 }, (_, line) => `line ${line}\n`).join('');
  const server = await startRawServer((_, socket) => respond(socket, 200, { 'Content-Length': text.length }, text));
  onTestFinished(() => server.close());
  const services = await testServices();
  const document = await readDocument(server.origin, {
    client: services.http,
    policy: services.policy,
    credential: undefined,
    now: services.clock.now,
    signal: new AbortController().signal,
    mostBytes: text.length
  });
  expect(document.text === text).toBe(true);
});
