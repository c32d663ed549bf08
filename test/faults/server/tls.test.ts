import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { respond, startRawServer } from '../../support/raw-http-server';
import { startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import {
  makeCertificate,
  makeExpiredCertificate,
  OPENSSL,
  type ServerCertificate
} from '../../support/servers/certificates';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(1000);

/** Pulls in a process of its own, for Node reads which authorities it trusts when it starts. */
async function pullOver({ certificate, privateKey, authority }: ServerCertificate, isTrusted: boolean) {
  const tls = { cert: await readFile(certificate), key: await readFile(privateKey) };
  const answer = (_: unknown, socket: Parameters<typeof respond>[0]): void =>
    respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT);
  const server = await startRawServer(answer, undefined, tls);
  onTestFinished(() => server.close());
  const manifest = await writeManifest([{ url: `${server.origin}/w?CANARY`, sha256: sha256(CONTENT) }]);
  const environment = isTrusted ? { NODE_EXTRA_CA_CERTS: authority } : {};
  const { status, err } = await startCli(['pull', manifest], { home: await temporaryFolder(), environment }).ended;
  expect(err).not.toContain('CANARY');
  expect(err).not.toContain('interrupted');
  return { status, err: err.replaceAll(new URL(server.origin).host, 'HOST'), requests: server.requests.length };
}

describe.skipIf(OPENSSL === undefined)('S35 a server with a certificate', () => {
  it('of an authority that is trusted is pulled from', async () => {
    expect(await pullOver(await makeCertificate('IP:127.0.0.1'), true)).toMatchObject({ status: 0, requests: 1 });
  });

  it.each([
    [
      'of an authority that nobody trusts',
      () => makeCertificate('IP:127.0.0.1'),
      false,
      'its issuer is unknown to this machine (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
      'NODE_EXTRA_CA_CERTS'
    ],
    [
      'that ran out',
      () => makeExpiredCertificate('IP:127.0.0.1'),
      true,
      'it has expired (CERT_HAS_EXPIRED)',
      'Check the clock of this machine'
    ],
    [
      'for another host',
      () => makeCertificate('DNS:elsewhere.test'),
      true,
      'it belongs to another host (ERR_TLS_CERT_ALTNAME_INVALID)',
      'Check the host in the address'
    ]
  ])('%s gets no request, and is told with the reason', async (_, make, isTrusted, reason, nextStep) => {
    const { status, err, requests } = await pullOver(await make(), isTrusted);
    expect({ status, requests }).toEqual({ status: 1, requests: 0 });
    expect(err).toContain(`The certificate of HOST is not trusted: ${reason}.`);
    expect(err).toContain(nextStep);
  });
});
