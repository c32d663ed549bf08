import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServiceOptions } from '../../../server/operations/services';
import { ManifestsInView, PullModel } from '../../../shared/protocol';
import { type RawServer, respond, startRawServer } from '../../support/raw-http-server';
import { runCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testConnection } from '../../support/test-connection';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(1000);
const strict = { allowInsecureHttp: true, allowPrivateHosts: false };
const lenient = { allowInsecureHttp: true, allowPrivateHosts: true };

/** A server that lists every request, HEAD too. */
async function serve(): Promise<{ server: RawServer; port: string; asked: string[] }> {
  const asked: string[] = [];
  const server = await startRawServer(
    ({ path }, socket) => {
      asked.push(path);
      respond(socket, 200, { 'Content-Length': 1000 }, CONTENT);
    },
    ({ path }, socket) => {
      asked.push(path);
      respond(socket, 405, { 'Content-Length': 0 });
    }
  );
  onTestFinished(() => server.close());
  return { server, port: new URL(server.origin).port, asked };
}

/** A proxy whose every answer is a redirect: a public site, as far as anybody behind the proxy can tell. */
async function redirectingProxy(location: string): Promise<string> {
  const proxy = createServer((_, answer) => answer.writeHead(302, { Location: location }).end());
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

/** Resolves every name to these addresses, and counts how often it was asked. */
function resolver(...addresses: readonly string[]) {
  const asked: string[] = [];
  const resolveHost = async (host: string) => {
    asked.push(host);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { resolveHost, asked };
}

async function pull(url: string, options: Partial<ServiceOptions>): Promise<unknown> {
  const services = await testServices(options);
  const manifest = await writeManifest([{ url, sha256: sha256(CONTENT) }]);
  return pullManifest(services, manifest).then(
    () => 'pulled',
    (error: unknown) => error
  );
}

describe('a name that leads to this machine or into a private network', () => {
  it('is refused before anything is sent', async () => {
    const { port, asked } = await serve();
    const { resolveHost } = resolver('127.0.0.1');
    expect(await pull(`http://models.test:${port}/w`, { policy: strict, resolveHost })).toMatchObject({
      code: 'refused-address',
      message: 'models.test leads to 127.0.0.1, an address of this machine.',
      nextStep: expect.stringContaining('--allow-private-hosts'),
      remedy: { kind: 'setting', key: 'diffusionDock.network.allowPrivateHosts' }
    });
    expect(asked).toEqual([]);
  });

  it('is pulled from when the user allows private hosts', async () => {
    const { port } = await serve();
    const { resolveHost } = resolver('127.0.0.1');
    expect(await pull(`http://models.test:${port}/w`, { policy: lenient, resolveHost })).toBe('pulled');
  });

  it('is refused for good when it is link-local, and never asked again', async () => {
    const { resolveHost, asked } = resolver('169.254.169.254');
    expect(await pull('http://models.test/latest', { policy: lenient, resolveHost })).toMatchObject({
      code: 'refused-address',
      message: expect.stringContaining('models.test leads to 169.254.169.254')
    });
    expect(asked).toHaveLength(1);
  });

  it('is connected to at those of its addresses only that are allowed', async () => {
    const { port, asked } = await serve();
    const { resolveHost } = resolver('169.254.169.254', '::ffff:169.254.169.254', '127.0.0.1');
    expect(await pull(`http://models.test:${port}/w`, { policy: lenient, resolveHost })).toBe('pulled');
    expect(asked).not.toEqual([]);
  });

  it('is connected to where it was judged, although it resolves elsewhere a moment later', async () => {
    const { port, asked } = await serve();
    let asks = 0;
    const resolveHost = async () => [{ address: (asks += 1) === 1 ? '10.0.0.5' : '127.0.0.1', family: 4 }];
    expect(await pull(`http://models.test:${port}/w`, { policy: strict, resolveHost })).toMatchObject({
      message: expect.stringContaining('10.0.0.5')
    });
    expect({ asks, asked }).toEqual({ asks: 1, asked: [] });
  });
});

describe('localhost', () => {
  it('needs no setting', async () => {
    const { port } = await serve();
    expect(await pull(`http://localhost:${port}/w`, { ...resolver('127.0.0.1') })).toBe('pulled');
  });

  it('is refused when it leads away from this machine', async () => {
    expect(await pull('http://localhost/w', { policy: lenient, ...resolver('93.184.215.14') })).toMatchObject({
      code: 'refused-address',
      message: 'localhost leads to 93.184.215.14, which is not this machine.'
    });
  });
});

describe('a redirect of a public host', () => {
  it.each([
    ['by name', (port: string) => `http://inside.test:${port}/w`],
    ['by number', (port: string) => `http://127.0.0.1:${port}/w`],
    ['by localhost', (port: string) => `http://localhost:${port}/w`]
  ])('into a private network %s is refused, whatever is allowed', async (_, target) => {
    const { port, asked } = await serve();
    const environment = { HTTP_PROXY: await redirectingProxy(target(port)), NO_PROXY: 'inside.test' };
    const options = { policy: lenient, environment, ...resolver('127.0.0.1') };
    expect(await pull('http://models.test/w', options)).toMatchObject({
      code: 'refused-address',
      message: expect.stringContaining('a public host redirects to it')
    });
    expect(asked).toEqual([]);
  });

  it('does not use the connection that the user allowed to the same host', async () => {
    const { port, asked } = await serve();
    const inside = `http://inside.test:${port}`;
    const environment = { HTTP_PROXY: await redirectingProxy(`${inside}/again`), NO_PROXY: 'inside.test' };
    const services = await testServices({ policy: lenient, environment, ...resolver('127.0.0.1') });
    await pullManifest(services, await writeManifest([{ url: `${inside}/w`, sha256: sha256(CONTENT) }]));
    const redirected = await writeManifest([{ url: 'http://models.test/w', sha256: sha256(sampleBytes(7)) }], {
      name: 'other'
    });
    await expect(pullManifest(services, redirected)).rejects.toMatchObject({ code: 'refused-address' });
    expect(asked).not.toContain('/again');
  });
});

describe('a redirect within a private network', () => {
  it('is followed when the user allows private hosts', async () => {
    const { port } = await serve();
    const near = await startRawServer((_, socket) =>
      respond(socket, 302, { Location: `http://files.test:${port}/w`, 'Content-Length': 0 })
    );
    onTestFinished(() => near.close());
    const url = `http://models.test:${new URL(near.origin).port}/w`;
    expect(await pull(url, { policy: lenient, ...resolver('127.0.0.1') })).toBe('pulled');
  });
});

/** Behind a proxy the number in the address is all that is judged, so that no private network is needed here. */
async function behindProxy(): Promise<{ manifest: string; environment: Record<string, string> }> {
  const { server } = await serve();
  const manifest = await writeManifest([{ url: 'http://10.0.0.5/w', sha256: sha256(CONTENT) }]);
  return { manifest, environment: { HTTP_PROXY: server.origin } };
}

describe('the permission for private hosts', () => {
  it('is given on the command line with --allow-private-hosts', async () => {
    const { manifest, environment } = await behindProxy();
    const home = await temporaryFolder();
    const words = ['pull', manifest, '--allow-insecure-http'];
    const refused = await runCli(words, { home, environment });
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining('--allow-private-hosts') });
    expect(await runCli([...words, '--allow-private-hosts'], { home, environment })).toMatchObject({ status: 0 });
  });

  it.each([true, false])('is taken from the editor: %s', async (allowPrivateHosts) => {
    const { manifest, environment } = await behindProxy();
    const server = await testConnection(environment);
    await server.start({ allowInsecureHttp: true, allowPrivateHosts });
    await server.client.sendNotification(ManifestsInView, { uris: [pathToFileURL(manifest).href] });
    const pulled = server.client.sendRequest(PullModel, { name: 'test-model' });
    if (allowPrivateHosts) expect(await pulled).toMatchObject({ bytes: 1000 });
    else await expect(pulled).rejects.toMatchObject({ data: { code: 'refused-address' } });
  });
});
