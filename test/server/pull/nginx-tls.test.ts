import { describe, expect, it } from 'vitest';
import { startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';
import { NGINX, Nginx } from '../../support/servers/nginx';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(300_000);

/** Pulls in a process of its own, for Node reads which authorities it trusts when it starts. */
async function pullInProcess(url: string, environment: Record<string, string>) {
  const manifest = await writeManifest([{ url, sha256: sha256(CONTENT), size_bytes: CONTENT.length }]);
  return startCli(['pull', manifest], { home: await temporaryFolder(), environment }).ended;
}

describe.skipIf(NGINX === undefined || OPENSSL === undefined)('a pull from nginx over https', () => {
  it('is made when the private authority is trusted by NODE_EXTRA_CA_CERTS', async () => {
    const certificate = await makeCertificate('IP:127.0.0.1');
    const nginx = await Nginx.start({ certificate });
    const url = await nginx.serve('w', CONTENT);
    const { status, err } = await pullInProcess(url, { NODE_EXTRA_CA_CERTS: certificate.authority });
    expect({ status, err }).toMatchObject({ status: 0 });
    // nginx offers HTTP/2 on this port as well; the client does not, so they agree on HTTP/1.1 (ALPN).
    expect((await nginx.requests()).at(-1)).toMatchObject({ protocol: 'HTTP/1.1', status: 200 });
  });

  it('fails with the reason and what to do when the authority is not trusted, without another attempt', async () => {
    const nginx = await Nginx.start({ certificate: await makeCertificate('IP:127.0.0.1') });
    const { status, err } = await pullInProcess(await nginx.serve('w', CONTENT), {});
    expect(status).toBe(1);
    expect(err).toMatch(/The certificate of 127\.0\.0\.1:\d+ is not trusted: [a-z ]+ \([A-Z_]+\)\./);
    expect(err).toContain('NODE_EXTRA_CA_CERTS');
    expect(err).not.toContain('interrupted');
    expect(await nginx.requests()).toEqual([]);
  });

  it('is made when SSL_CERT_FILE names the authority, NODE_EXTRA_CA_CERTS another one, and when the setting does', async () => {
    const [certificate, other] = [await makeCertificate('IP:127.0.0.1'), await makeCertificate('IP:127.0.0.1')];
    const url = await (await Nginx.start({ certificate })).serve('w', CONTENT);
    const theirs = await (await Nginx.start({ certificate: other })).serve('w', CONTENT);
    const environment = { SSL_CERT_FILE: certificate.authority, NODE_EXTRA_CA_CERTS: other.authority };
    expect(await pullInProcess(url, environment)).toMatchObject({ status: 0 });
    expect(await pullInProcess(theirs, environment)).toMatchObject({ status: 0 });
    const services = await testServices({ caFile: certificate.authority });
    const manifest = await writeManifest([{ url, sha256: sha256(CONTENT) }]);
    expect((await pullManifest(services, manifest)).events.at(-1)).toMatchObject({ type: 'completed' });
  });

  it('fails when the certificate is for another host', async () => {
    const certificate = await makeCertificate('DNS:elsewhere.test');
    const nginx = await Nginx.start({ certificate });
    const trusted = { NODE_EXTRA_CA_CERTS: certificate.authority };
    const { status, err } = await pullInProcess(await nginx.serve('w', CONTENT), trusted);
    expect(status).toBe(1);
    expect(err).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });
});
