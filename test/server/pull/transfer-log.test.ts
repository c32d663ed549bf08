import { expect, it, onTestFinished } from 'vitest';
import { type RawAnswer, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(10_000);

/** Pulls one file behind a signed address and gives the lines of the log about its transfer. */
async function logOf(answer: RawAnswer): Promise<readonly { text: string; fields: Record<string, unknown> }[]> {
  const server = await startRawServer(answer);
  onTestFinished(() => server.close());
  const services = await testServices();
  const manifest = await writeManifest([{ url: `${server.origin}/w.gguf?part=CANARY` }]);
  await pullManifest(services, manifest).catch(() => undefined);
  expect(services.logged.join('\n')).not.toContain('CANARY');
  return services.logged.flatMap((line) => {
    const [, text = '', fields = '{}'] = /^(\w+ transfer) (\{.*\})$/.exec(line) ?? [];
    return text === '' ? [] : [{ text, fields: JSON.parse(fields) }];
  });
}

it('logs a transfer from its start to its end, with where to, how much and how long', async () => {
  const lines = await logOf((_, socket) => respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT));
  const about = { url: expect.stringMatching(/\/w\.gguf$/), destination: 'weights.gguf' };
  expect(lines).toEqual([
    { text: 'starting transfer', fields: { ...about, bytes: null } },
    { text: 'done transfer', fields: { ...about, bytes: CONTENT.length, ms: expect.any(Number) } }
  ]);
});

it('logs a transfer that failed with the status and the reason', async () => {
  const lines = await logOf((_, socket) => respond(socket, 403, { 'Content-Length': 0 }));
  expect(lines.map(({ text }) => text)).toEqual(['starting transfer', 'failed transfer']);
  expect(lines[1]?.fields).toMatchObject({
    destination: 'weights.gguf',
    bytes: 0,
    code: 'http-status',
    status: 403,
    error: expect.stringContaining('(status 403)')
  });
});
