import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../../shared/failure';
import { USUAL_LIMITS } from '../../../shared/transfer-limits';
import { type Answer, chunked, startFaultServer } from '../../support/fault-server';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';
import { CONTENT, DIGEST, SHARED_FROM_THE_START } from './fault-run';

/**
 * What a transfer makes of what it is told. `length`: how the server tells where the body ends; `size` and `digest`:
 * whether the manifest names them; `etag`: what the server sends. `fresh`: whether the bytes count as proved
 * (declared), as unchanged since install (observed), or are refused. `resumed`: whether a broken transfer goes on or
 * begins anew. `several`: whether connections share the file.
 */
const TABLE = `
length   size  digest  etag    | fresh     resumed  several
told     yes   yes     strong  | declared  goes-on  shared
told     yes   yes     weak    | declared  goes-on  shared
told     yes   yes     none    | declared  goes-on  shared
told     yes   no      strong  | observed  goes-on  shared
told     yes   no      weak    | observed  anew     alone
told     yes   no      none    | observed  anew     alone
told     no    yes     strong  | declared  goes-on  shared
told     no    yes     weak    | declared  goes-on  shared
told     no    yes     none    | declared  goes-on  shared
told     no    no      strong  | observed  goes-on  shared
told     no    no      weak    | observed  anew     alone
told     no    no      none    | observed  anew     alone
chunked  yes   yes     strong  | declared  goes-on  shared
chunked  yes   yes     weak    | declared  goes-on  shared
chunked  yes   yes     none    | declared  goes-on  shared
chunked  yes   no      strong  | observed  goes-on  shared
chunked  yes   no      weak    | observed  anew     alone
chunked  yes   no      none    | observed  anew     alone
chunked  no    yes     strong  | declared  anew     alone
chunked  no    yes     weak    | declared  anew     alone
chunked  no    yes     none    | declared  anew     alone
chunked  no    no      strong  | observed  anew     alone
chunked  no    no      weak    | observed  anew     alone
chunked  no    no      none    | observed  anew     alone
closing  yes   yes     strong  | declared  goes-on  shared
closing  yes   yes     weak    | declared  goes-on  shared
closing  yes   yes     none    | declared  goes-on  shared
closing  yes   no      strong  | observed  goes-on  shared
closing  yes   no      weak    | observed  anew     alone
closing  yes   no      none    | observed  anew     alone
closing  no    yes     strong  | declared  anew     alone
closing  no    yes     weak    | declared  anew     alone
closing  no    yes     none    | declared  anew     alone
closing  no    no      strong  | refused   anew     alone
closing  no    no      weak    | refused   anew     alone
closing  no    no      none    | refused   anew     alone
`;

const ETAGS: Readonly<Record<string, string | undefined>> = { strong: '"v1"', weak: 'W/"v1"' };

const ROWS = TABLE.trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(/[\s|]+/) as [string, string, string, string, string, string, string]);

describe('a transfer', () => {
  it.each(ROWS)(
    'with the length %s, size %s, digest %s, ETag %s: %s, resumed %s, by several %s',
    async (length, size, digest, etag, fresh, resumed, several) => {
      const declared = {
        ...(digest === 'yes' && { sha256: DIGEST }),
        ...(size === 'yes' && { size_bytes: CONTENT.length })
      };

      const shared = await start(length, etag, declared, 4);
      expect(await shared.pulled()).toBe(fresh);
      const asksForParts = shared.server.requests.some(({ headers }) => headers['range'] !== undefined);
      expect(asksForParts ? 'shared' : 'alone').toBe(several);

      const broken = await start(length, etag, declared, 1);
      broken.server.hold(CONTENT.length / 2);
      await broken.pulled();
      broken.server.begin();
      const before = broken.server.requests.length;
      expect(await broken.pulled()).toBe(fresh);
      expect(broken.server.requests[before]?.headers['range'] ? 'goes-on' : 'anew').toBe(resumed);
    }
  );
});

/** A server that tells what the row says, and a manifest that says what it says. */
async function start(length: string, etag: string, declared: object, connections: number) {
  const server = await startFaultServer({
    content: CONTENT,
    etag: ETAGS[etag],
    shape: (answer) => (answer.status === 200 ? tellingLength(answer, length) : answer)
  });
  onTestFinished(() => server.close());
  const limits = { ...USUAL_LIMITS, connections };
  const services = await testServices({ limits, tuning: SHARED_FROM_THE_START });
  const manifest = await writeManifest([{ url: `${server.origin}/w`, ...declared }]);
  return { server, pulled: () => outcome(services, manifest) };
}

function tellingLength(answer: Answer, length: string): Answer {
  const headers = { ...answer.headers, 'Content-Length': undefined };
  if (length === 'told') return answer;
  if (length === 'closing') return { ...answer, headers, ending: 'end' };
  return {
    ...answer,
    headers: { ...headers, 'Transfer-Encoding': 'chunked' },
    wire: [chunked(answer.body), '0\r\n\r\n']
  };
}

/** How the bytes count; only exact ones are ever installed. */
async function outcome(services: TestServices, manifest: string): Promise<string> {
  try {
    const { folder } = await pullManifest(services, manifest);
    expect((await readFile(join(folder, 'weights.gguf'))).equals(CONTENT)).toBe(true);
    const installed = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    return installed.files[0].digest_origin;
  } catch (error) {
    if (error instanceof Failure) return error.code === 'bad-response' ? 'refused' : error.code;
    throw error;
  }
}
