import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, type Fault, startFaultServer } from '../../support/fault-server';
import {
  type RawAnswer,
  type RawRequest,
  type RawServer,
  respond,
  startRawServer
} from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';
import {
  CONTENT,
  DIGEST,
  describeCases,
  type FailureText,
  type FaultCase,
  failureText,
  SHARED_FROM_THE_START
} from './fault-run';

const ADDRESS = 'http://HOST/weights.gguf';

const redirect =
  (location: string | undefined, status = 302): Fault =>
  (answer: Answer) => ({
    ...answer,
    status,
    headers: { Location: location, 'Content-Length': 0 },
    body: Buffer.alloc(0)
  });

function refusal(title: string, location: string | undefined, ends: FailureText): FaultCase {
  return { title, fault: redirect(location), hits: 'every answer', ends };
}

const FINAL = 'Open the address in a browser to see where it leads, and put the final address into the manifest.';

const OTHER = 'Check the address in the manifest, or use another source.';

describeCases([
  refusal('S23 redirects in circles', '/weights.gguf?again=CANARY', [
    'bad-response',
    'HOST redirects more than 10 times.',
    ADDRESS,
    FINAL
  ]),
  refusal('S24 redirects to a local file', 'file:///etc/passwd?CANARY', [
    'refused-address',
    'HOST redirects to an address that is file: and not http or https.',
    ADDRESS,
    OTHER
  ]),
  refusal("S24 redirects to the host of a cloud's credentials", 'http://169.254.169.254/?CANARY', [
    'refused-address',
    'HOST redirects to an address that is refused. 169.254.169.254 is an address that nothing is fetched from.',
    ADDRESS,
    'Check the address in the manifest.'
  ]),
  refusal('S24 redirects to an address with a password', 'http://user:CANARY@127.0.0.1/', [
    'refused-address',
    'HOST redirects to an address that carries a user name or password.',
    ADDRESS,
    OTHER
  ]),
  refusal('S24 redirects to plain http on another machine', 'http://192.0.2.1/?CANARY', [
    'refused-address',
    'HOST redirects to an address that is refused. 192.0.2.1 is addressed over plain http, which is not protected.',
    ADDRESS,
    'Use https, or allow plain http in the settings.'
  ]),
  refusal('S26 redirects without saying where', undefined, [
    'bad-response',
    'HOST redirects without saying where.',
    ADDRESS,
    FINAL
  ]),
  refusal('S26 redirects to what is no address', 'http://[', [
    'bad-response',
    'HOST redirects without saying where.',
    ADDRESS,
    FINAL
  ])
]);

async function serve(answer: RawAnswer): Promise<RawServer> {
  const server = await startRawServer(answer);
  onTestFinished(() => server.close());
  return server;
}

const wholeContent: RawAnswer = (_, socket) => respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT);

const to =
  (location: (request: RawRequest) => string): RawAnswer =>
  (request, socket) =>
    respond(socket, 302, { Location: location(request), 'Content-Length': 0 });

/** Pulls, and gives the failure if there is one; neither it nor the log may hold a secret. */
async function pull(services: TestServices, url: string, declared: { sha256?: string } = { sha256: DIGEST }) {
  const manifest = await writeManifest([{ url, ...declared }], { credential_alias: 'my-hub' });
  const failure = await pullManifest(services, manifest).then(
    () => undefined,
    (error: unknown) => error
  );
  expect(JSON.stringify(failure ?? '') + services.logged.join('\n')).not.toContain('CANARY');
  return failure;
}

function withCredentialFor(...origins: readonly string[]) {
  return { DIFFUSION_DOCK_TOKEN_MY_HUB: 'CANARY-TOKEN', DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: origins.join(' ') };
}

describe('S25 a redirect to another origin', () => {
  it('carries nothing but what every request needs', async () => {
    const far = await serve(wholeContent);
    const near = await serve(to(() => `${far.origin}/signed?X-Amz-Signature=CANARY`));
    const services = await testServices({ environment: withCredentialFor(near.origin) });
    expect(await pull(services, `${near.origin}/w`)).toBeUndefined();
    expect(near.requests[0]?.headers['authorization']).toBe('Bearer CANARY-TOKEN');
    expect(Object.keys(far.requests[0]?.headers ?? {}).toSorted()).toEqual([
      'accept-encoding',
      'connection',
      'host',
      'user-agent'
    ]);
  });

  it('that is refused there is told by that host, without its query, and says whom the credential is for', async () => {
    const far = await serve((_, socket) => respond(socket, 403, { 'Content-Length': 0 }));
    const near = await serve(to(() => `${far.origin}/signed?X-Amz-Signature=CANARY`));
    const services = await testServices({ environment: withCredentialFor(near.origin) });
    expect(failureText(await pull(services, `${near.origin}/w`), far.origin)).toEqual([
      'http-status',
      'HOST refuses access (status 403).',
      'http://HOST/signed',
      'The credential "my-hub" is not meant for http://HOST; add that origin to it if it is. ' +
        'The file may be in early access or limited to some accounts, which its page tells.'
    ]);
  });

  it('is followed anew for every range, so that a signature that ran out is replaced', async () => {
    const far = await startFaultServer({
      content: CONTENT,
      etag: '"v1"',
      fault: (answer, at) => ({ ...answer, wire: [answer.body.subarray(0, at)], ending: 'end' }),
      at: 1_000_000,
      times: 1
    });
    onTestFinished(() => far.close());
    const near = await serve(to(({ count }) => `${far.origin}/signed?signature=CANARY${count}`));
    const services = await testServices({ environment: withCredentialFor(near.origin) });
    expect(await pull(services, `${near.origin}/w`)).toBeUndefined();
    expect(far.requests.map(({ path }) => path)).toEqual(['/signed?signature=CANARY1', '/signed?signature=CANARY2']);
    expect(far.requests[1]?.headers).toMatchObject({ range: 'bytes=1000000-', 'if-range': '"v1"' });
  });
});

describe.skipIf(OPENSSL === undefined)('S24 a redirect from https to plain http', () => {
  it('is refused before anything is sent there', async () => {
    const plain = await serve(wholeContent);
    const { certificate, privateKey } = await makeCertificate('IP:127.0.0.1');
    const tls = { cert: await readFile(certificate), key: await readFile(privateKey) };
    const secure = await startRawServer(
      to(() => `${plain.origin}/w?CANARY`),
      undefined,
      tls
    );
    onTestFinished(() => secure.close());
    const services = await testServices({
      environment: withCredentialFor(secure.origin),
      editorProxy: { strictTls: false }
    });
    const failure = await pull(services, `${secure.origin}/w`);
    const plainHost = new URL(plain.origin).host;
    expect(failureText(failure, secure.origin)).toEqual([
      'refused-address',
      `HOST redirects from https to plain http on ${plainHost}.`,
      'https://HOST/w',
      OTHER
    ]);
    expect(plain.requests).toEqual([]);
  });
});

/** Two servers that a third one sends us to in turn. */
async function mirrors(contents: readonly [Buffer, Buffer]): Promise<string> {
  const servers = await Promise.all(
    contents.map((content, index) =>
      startFaultServer({
        content,
        etag: `"mirror-${index}"`,
        fault: (answer) => ({ ...answer, wire: [answer.body.subarray(0, answer.body.length / 2)], ending: 'end' }),
        times: 2
      })
    )
  );
  for (const server of servers) onTestFinished(() => server.close());
  const near = await serve(to(({ count }) => `${servers[count % 2]?.origin ?? ''}/w`));
  return `${near.origin}/w`;
}

describe('mirrors behind one address', () => {
  const other = sampleBytes(CONTENT.length, 5);

  it.each([
    ['one connection', {}],
    ['four connections', SHARED_FROM_THE_START]
  ])('that serve the same bytes under two ETags give exactly those, over %s', async (_, tuning) => {
    const services = await testServices({ environment: withCredentialFor('https://elsewhere.example'), tuning });
    expect(await pull(services, await mirrors([CONTENT, CONTENT]))).toBeUndefined();
    expect(await installedDigest(services)).toBe(DIGEST);
  });

  it.each([
    ['one connection', {}],
    ['four connections', SHARED_FROM_THE_START]
  ])('that serve two contents never give a mixture, over %s', async (_, tuning) => {
    const services = await testServices({ environment: withCredentialFor('https://elsewhere.example'), tuning });
    expect(await pull(services, await mirrors([CONTENT, other]), {})).toBeUndefined();
    expect([DIGEST, sha256(other)]).toContain(await installedDigest(services));
  });
});

async function installedDigest({ root }: TestServices): Promise<string> {
  return sha256(await readFile(join(root, 'models', 'test-model', 'weights.gguf')));
}
