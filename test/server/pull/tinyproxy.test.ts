import { describe, expect, it } from 'vitest';
import { type CliResult, startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';
import { NGINX, Nginx } from '../../support/servers/nginx';
import { ownHost, TINYPROXY, Tinyproxy } from '../../support/servers/tinyproxy';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(300_000);
const PASSWORD = 'CANARY-4711';
const LOGIN = `BasicAuth user ${PASSWORD}`;

const host = await ownHost();

async function manifestOf(url: string): Promise<string> {
  return writeManifest([{ url, sha256: sha256(CONTENT), size_bytes: CONTENT.length }]);
}

/** Pulls over plain http, in this process. @returns the failure, if any, and all that was logged */
async function pull(url: string, environment: Record<string, string>): Promise<{ failure: unknown; logged: string }> {
  const services = await testServices({ environment, policy: { allowInsecureHttp: true, allowPrivateHosts: true } });
  const failure: unknown = await pullManifest(services, await manifestOf(url)).then(
    () => undefined,
    (error: unknown) => error
  );
  return { failure, logged: services.logged.join('\n') };
}

/** Pulls in a process of its own, for Node reads which authorities it trusts when it starts. */
async function pullInProcess(url: string, environment: Record<string, string>): Promise<CliResult> {
  return startCli(['pull', await manifestOf(url)], { home: await temporaryFolder(), environment }).ended;
}

/** Serves the content under this machine's own name. @returns its address */
async function site(): Promise<string> {
  return (await Nginx.start({ host })).serve('w', CONTENT);
}

async function secureSite(): Promise<{ url: string; trust: { NODE_EXTRA_CA_CERTS: string } }> {
  const certificate = await makeCertificate(`DNS:${host?.name}`);
  const nginx = await Nginx.start({ host, certificate });
  return { url: await nginx.serve('w', CONTENT), trust: { NODE_EXTRA_CA_CERTS: certificate.authority } };
}

const lacks = [NGINX, TINYPROXY, OPENSSL, host].includes(undefined);

describe.skipIf(lacks)('a pull through tinyproxy', () => {
  it('asks the proxy of HTTP_PROXY for plain http as it is, without a tunnel', async () => {
    const url = await site();
    const proxy = await Tinyproxy.start();
    expect(await pull(url, { HTTP_PROXY: `http://${proxy.host}` })).toMatchObject({ failure: undefined });
    expect(proxy.asked).toEqual([`GET ${url}`]);
  });

  it('goes through a tunnel of the proxy of HTTPS_PROXY for https', async () => {
    const { url, trust } = await secureSite();
    const proxy = await Tinyproxy.start();
    const pulled = await pullInProcess(url, { HTTPS_PROXY: `http://${proxy.host}`, ...trust });
    expect(pulled).toMatchObject({ status: 0 });
    expect(proxy.asked).toEqual([`CONNECT ${new URL(url).host}`]);
  });

  it('does not trust a site more for coming through a tunnel', async () => {
    const { url } = await secureSite();
    const proxy = await Tinyproxy.start();
    const { status, err } = await pullInProcess(url, { HTTPS_PROXY: `http://${proxy.host}` });
    expect({ status, err }).toMatchObject({ status: 1, err: expect.stringContaining('is not trusted') });
  });

  it('leaves out the proxy for hosts in NO_PROXY', async () => {
    const proxy = await Tinyproxy.start();
    const environment = { HTTP_PROXY: `http://${proxy.host}`, NO_PROXY: `example.com,${host?.name}` };
    expect(await pull(await site(), environment)).toMatchObject({ failure: undefined });
    expect(proxy.asked).toEqual([]);
  });
});

describe.skipIf(lacks)('a proxy that asks for a password', () => {
  it('gets the one in its address, for http', async () => {
    const proxy = await Tinyproxy.start(LOGIN);
    const { failure, logged } = await pull(await site(), { HTTP_PROXY: `http://user:${PASSWORD}@${proxy.host}` });
    expect(failure).toBeUndefined();
    expect(logged).not.toContain(PASSWORD);
  });

  it('gets the one in its address, for https', async () => {
    const { url, trust } = await secureSite();
    const proxy = await Tinyproxy.start(LOGIN);
    const address = `http://user:${PASSWORD}@${proxy.host}`;
    const { status, out, err } = await pullInProcess(url, { HTTPS_PROXY: address, ...trust });
    expect({ status, err }).toMatchObject({ status: 0 });
    expect(out + err).not.toContain(PASSWORD);
  });

  it('is named when it gets none, with where to write it', async () => {
    const proxy = await Tinyproxy.start(LOGIN);
    const { failure } = await pull(await site(), { HTTP_PROXY: `http://${proxy.host}` });
    expect(failure).toMatchObject({
      code: 'network',
      message: `The proxy ${proxy.host} asks for a login (status 407).`,
      nextStep: expect.stringContaining('http://name:password@host:port')
    });
  });

  it('is named when it gets a wrong one, which is not told', async () => {
    const { url } = await secureSite();
    const proxy = await Tinyproxy.start(LOGIN);
    const { status, out, err } = await pullInProcess(url, {
      HTTPS_PROXY: `http://user:wrong-${PASSWORD}@${proxy.host}`
    });
    expect(status).toBe(1);
    expect(err).toContain(`The proxy ${proxy.host} asks for a login`);
    expect(out + err).not.toContain(PASSWORD);
  });
});

describe.skipIf(lacks)('a proxy that does not help', () => {
  it('is named when it is gone', async () => {
    const url = await site();
    const proxy = await Tinyproxy.start();
    await proxy.end();
    const { failure } = await pull(url, { HTTP_PROXY: `http://${proxy.host}` });
    expect(failure).toMatchObject({
      code: 'network',
      message: `${new URL(url).host} through the proxy ${proxy.host}: the connection was refused.`
    });
  });

  it('is named when it opens no tunnel to the port', async () => {
    const { url, trust } = await secureSite();
    const proxy = await Tinyproxy.start('ConnectPort 443');
    const { status, err } = await pullInProcess(url, { HTTPS_PROXY: `http://${proxy.host}`, ...trust });
    expect(status).toBe(1);
    expect(err).toContain(`The proxy ${proxy.host} refuses connections to ${new URL(url).host} (status 403).`);
  });
});
