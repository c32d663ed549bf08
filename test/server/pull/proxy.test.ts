import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { proxyFor, proxySettings } from '../../../server/pull/network/proxy';
import { respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(1000);

/** A proxy that reaches every host at one place, as a company's proxy reaches what we cannot. */
async function startProxy(target: string): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '');
    const { pathname } = new URL(incoming.url ?? '', target);
    request(new URL(pathname, target), { headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    }).end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await once(proxy, 'close');
  });
  const { port } = proxy.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, asked };
}

async function modelSite(): Promise<string> {
  const server = await startRawServer((_, socket) => respond(socket, 200, { 'Content-Length': 1000 }, CONTENT));
  onTestFinished(() => server.close());
  return server.origin;
}

describe('a proxy', () => {
  it('is used for hosts that it is set for, and not for this machine', async () => {
    const origin = await modelSite();
    const { address, asked } = await startProxy(origin);
    const services = await testServices({
      environment: { HTTP_PROXY: address },
      policy: { allowInsecureHttp: true, allowPrivateHosts: false }
    });
    await pullManifest(
      services,
      await writeManifest([{ url: 'http://models.test/w', sha256: sha256(CONTENT), size_bytes: 1000 }])
    );
    expect(asked).toEqual(['http://models.test/w']);
    const local = await writeManifest([{ url: `${origin}/local`, sha256: sha256(CONTENT), size_bytes: 1000 }], {
      name: 'local'
    });
    await pullManifest(services, local);
    expect(asked).toHaveLength(1);
  });

  it('of the editor wins over the environment', async () => {
    const { address, asked } = await startProxy(await modelSite());
    const services = await testServices({
      environment: { HTTP_PROXY: 'http://127.0.0.1:9' },
      editorProxy: { address },
      policy: { allowInsecureHttp: true, allowPrivateHosts: false }
    });
    await pullManifest(
      services,
      await writeManifest([{ url: 'http://models.test/w', sha256: sha256(CONTENT), size_bytes: 1000 }])
    );
    expect(asked).toHaveLength(1);
  });

  it('that cannot be reached is named in the failure, without its password', async () => {
    const services = await testServices({
      environment: { HTTP_PROXY: 'http://user:CANARY@127.0.0.1:9' },
      policy: { allowInsecureHttp: true, allowPrivateHosts: false }
    });
    const pulled = pullManifest(
      services,
      await writeManifest([{ url: 'http://models.test/w', sha256: sha256(CONTENT), size_bytes: 1000 }])
    );
    const failure = await pulled.then(
      () => undefined,
      (error: unknown) => error
    );
    expect(failure).toMatchObject({
      code: 'network',
      message: expect.stringContaining('through the proxy 127.0.0.1:9')
    });
    expect(JSON.stringify(failure) + services.logged.join('')).not.toContain('CANARY');
  });
});

describe('a proxy that never answers', () => {
  it.each([
    ['a request', 'http'],
    ['the wish for a tunnel', 'https']
  ])('%s is waited for no longer than a server', async (_, scheme) => {
    const proxy = await startRawServer(() => undefined);
    onTestFinished(() => proxy.close());
    const services = await testServices({
      environment: { HTTP_PROXY: proxy.origin },
      policy: { allowInsecureHttp: true, allowPrivateHosts: false },
      tuning: { stallMs: 300 }
    });
    const file = { url: `${scheme}://models.test/w`, sha256: sha256(CONTENT), size_bytes: 1000 };
    await expect(pullManifest(services, await writeManifest([file]))).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(/^models\.test through the proxy 127\.0\.0\.1:\d+: the server does not answer/)
    });
  });
});

const goesDirectly = (url: string, exceptions: string): boolean =>
  proxyFor(new URL(url), proxySettings({ HTTPS_PROXY: 'http://p:1', NO_PROXY: exceptions })) === undefined;

describe('NO_PROXY', () => {
  it.each([
    ['https://models.example/a', 'models.example'],
    ['https://models.example/a', 'other.test, MODELS.example'],
    ['https://deep.models.example/a', 'models.example'],
    ['https://models.example/a', '.models.example'],
    ['https://models.example/a', '*.example'],
    ['https://models.example/a', '*'],
    ['https://models.example/a', 'models.example:443'],
    ['https://models.example:8443/a', 'models.example:8443'],
    ['https://10.1.2.3/a', '10.0.0.0/8'],
    ['https://10.1.2.3/a', '10.1.2.3'],
    ['https://[fd00::7]/a', 'fd00::/8'],
    ['https://[fd00::7]/a', 'fd00::7'],
    ['https://[fd00::7]:8443/a', '[fd00::7]:8443']
  ])('lets %s go directly with %j', (url, exceptions) => {
    expect(goesDirectly(url, exceptions)).toBe(true);
  });

  it.each([
    ['https://models.example/a', ''],
    ['https://models.example/a', ','],
    ['https://notmodels.example/a', 'models.example'],
    ['https://models.example/a', 'models.example:8443'],
    ['https://models.example/a', 'models.example.org'],
    ['https://11.1.2.3/a', '10.0.0.0/8'],
    ['https://10.1.2.3/a', '10.0.0.0/99'],
    ['https://10.1.2.3/a', '2.3'],
    ['https://[fe00::7]/a', 'fd00::/8']
  ])('leaves %s to the proxy with %j', (url, exceptions) => {
    expect(goesDirectly(url, exceptions)).toBe(false);
  });
});

describe('the settings of a proxy', () => {
  const https = new URL('https://example.com/a');

  it('may leave out the scheme', () => {
    expect(proxyFor(https, proxySettings({ HTTPS_PROXY: 'proxy.example:3128' }))).toBe('http://proxy.example:3128');
  });

  it('for http serve https too, unless it has its own', () => {
    expect(proxyFor(https, proxySettings({ http_proxy: 'http://p:1' }))).toBe('http://p:1');
    expect(proxyFor(https, proxySettings({ http_proxy: 'http://p:1', HTTPS_PROXY: 'http://q:2' }))).toBe('http://q:2');
  });

  it('may come from ALL_PROXY, unless there is a closer one', () => {
    expect(proxyFor(https, proxySettings({ all_proxy: 'http://p:1' }))).toBe('http://p:1');
    expect(proxyFor(https, proxySettings({ ALL_PROXY: 'http://p:1', HTTPS_PROXY: 'http://q:2' }))).toBe('http://q:2');
  });

  it('leave out the exceptions of the editor and those of the environment', () => {
    const environment = { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'other.test' };
    const settings = proxySettings(environment, { exceptions: ['*.example.com', 'example.com'] });
    expect(proxyFor(https, settings)).toBeUndefined();
    expect(proxyFor(new URL('https://other.test/'), settings)).toBeUndefined();
    expect(proxyFor(new URL('https://third.test/'), settings)).toBe('http://p:1');
  });

  it.each(['socks5://p:1', 'http://', '::'])('that say %j are refused with what to write', (address) => {
    expect(() => proxyFor(https, proxySettings({ HTTPS_PROXY: address }))).toThrow(
      expect.objectContaining({ code: 'bad-request' })
    );
  });
});
