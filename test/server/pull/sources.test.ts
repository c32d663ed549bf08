import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { HubListings } from '../../../server/huggingface/hub-listing';
import { hubSource } from '../../../server/huggingface/hub-source';
import { type HttpSourceOptions, httpSource } from '../../../server/pull/http/http-source';
import { fileSource } from '../../../server/pull/local/file-source';
import { startMovingHub } from '../../support/hub/moving-hub';
import { serveContent } from '../../support/serve-content';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestServices, testServices } from '../../support/test-services';
import { CONTENT_NAME, SECRET, type SourceHarness, sourceSuite } from './source.suite';

/** How sources reach servers, with a credential for an origin. */
function httpOptions({ http, policy, clock }: TestServices, origin: string): HttpSourceOptions {
  const credential = { alias: 'test', secret: SECRET, origins: [origin] };
  return { client: http, policy, credential, now: clock.now };
}

/** A content behind a server that the test makes. */
async function serverHarness(
  content: Buffer,
  { services, scheme, make }: { services: TestServices; scheme: string; make: (serve: RequestListener) => Server }
): Promise<SourceHarness> {
  let current: Buffer | undefined = content;
  let underWay = 0;
  const server = make((request, response) => {
    underWay += 1;
    response.on('close', () => (underWay -= 1));
    serveContent(request, response, current, current && `"${createHash('sha1').update(current).digest('hex')}"`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    source: httpSource(`${origin}/${CONTENT_NAME}?token=${SECRET}`, httpOptions(services, origin)),
    change: async (other) => void (current = other),
    remove: async () => void (current = undefined),
    held: async () => underWay,
    letsGoAtOnce: false
  };
}

sourceSuite('a source over http', async (content) =>
  serverHarness(content, { services: await testServices(), scheme: 'http', make: (serve) => createServer(serve) })
);

describe.skipIf(OPENSSL === undefined)('with an authority of its own', () => {
  sourceSuite('a source over https', async (content) => {
    const { authority, certificate, privateKey } = await makeCertificate('IP:127.0.0.1');
    const tls = { cert: await readFile(certificate), key: await readFile(privateKey) };
    return serverHarness(content, {
      services: await testServices({ caFile: authority }),
      scheme: 'https',
      make: (serve) => createTlsServer(tls, serve)
    });
  });
});

sourceSuite('a source on the hub', async (content) => {
  const path = `unet/${CONTENT_NAME}`;
  const hub = await startMovingHub({ [path]: content });
  const services = await testServices();
  const listings = new HubListings({ ...services, endpoint: hub.origin });
  const address = { kind: 'hub', owner: 'owner', repo: 'repo', revision: 'main', path } as const;
  return {
    source: hubSource(address, { listings, endpoint: hub.origin, http: httpOptions(services, hub.origin) }),
    change: async (other) => void hub.publish({ [path]: other }),
    remove: async () => void hub.publish({}),
    held: async () => hub.underWay(),
    letsGoAtOnce: false
  };
});

sourceSuite('a source that is a file', async (content) => {
  const path = join(await temporaryFolder(), CONTENT_NAME);
  await writeFile(path, content);
  return {
    source: fileSource(path),
    change: (other) => writeFile(path, other),
    remove: () => rm(path),
    held: () => descriptorsOf(path),
    letsGoAtOnce: true
  };
});

/** How many descriptors of this process lead to a file; only Linux tells. */
async function descriptorsOf(path: string): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const descriptors = await readdir('/proc/self/fd');
  const targets = descriptors.map((descriptor) => readlink(join('/proc/self/fd', descriptor)).catch(() => ''));
  return (await Promise.all(targets)).filter((target) => target === path).length;
}
