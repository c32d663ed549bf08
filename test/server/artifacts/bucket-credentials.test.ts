import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { storeKey } from '../../../server/artifacts/store-key';
import { findModel } from '../../../server/operations/models/known-models';
import { pullModel } from '../../../server/operations/pull/pull-model';
import { openStore } from '../../../server/operations/stores/open-store';
import { environmentCredentials } from '../../../server/pull/http/credentials';
import { parseDigest } from '../../../shared/digest';
import { type RawServer, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(1000);
const { signal } = new AbortController();

/** Where the bucket would be: an answer to anything is that nobody may. */
let endpoint: RawServer;

beforeEach(async () => {
  endpoint = await startRawServer((_, socket) => respond(socket, 403, { 'Content-Length': 0 }));
  onTestFinished(() => endpoint.close());
});

/** Somebody whose store names the credential `team`, which the environment holds, or does not. */
function member(environment: Record<string, string> = {}): Promise<TestServices> {
  return testServices({
    stores: { team: { url: 's3://weights', endpoint: endpoint.origin, credential: 'team' } },
    hostCredentials: environmentCredentials(environment)
  });
}

const manifest = (): Promise<string> => writeManifest([{ url: 's3://weights/tiny.gguf', sha256: sha256(CONTENT) }]);

/** Has the same bytes in the cache already, from elsewhere. */
async function withBytes(services: TestServices): Promise<void> {
  const file = join(await temporaryFolder(), 'tiny.gguf');
  await writeFile(file, CONTENT);
  await pullManifest(services, await writeManifest([{ url: pathToFileURL(file).href }], { name: 'other-model' }));
}

/** Pulls a model that was fetched from the store. */
async function pullFetched(services: TestServices): Promise<unknown> {
  const { name, manifest: listed } = await findModel(services, 'test-model');
  const combined = parseDigest(sha256(CONTENT))!;
  const publication = { store: 'team', name, attempt: '20250101t000000-00000000', combined };
  return pullModel(services, { name, manifest: listed, publication }, { signal, onEvent: () => undefined });
}

describe('a credential of a bucket that nobody stored', () => {
  it('is not missed when all bytes are here, whether objects are named or the model was fetched', async () => {
    const services = await member();
    await withBytes(services);
    await pullManifest(services, await manifest());
    await expect(pullFetched(services)).resolves.toMatchObject({ model: 'test-model', transferredBytes: 0 });
    expect(endpoint.requests).toEqual([]);
  });
});

describe('a credential of a bucket', () => {
  it.each([
    ['that nobody stored', {}, 'There is no credential named “team”.'],
    [
      'for another place',
      { DIFFUSION_DOCK_TOKEN_TEAM: 'ID:CANARY', DIFFUSION_DOCK_TOKEN_TEAM_ORIGINS: 'https://other.example' },
      /^The credential “team” is not for http:\/\/127\.0\.0\.1:\d+\.$/
    ],
    ['that is no access key', { DIFFUSION_DOCK_TOKEN_TEAM: 'CANARY' }, 'The credential “team” is no access key.']
  ])('%s fails with its sentence, and before any connection', async (_, environment, message) => {
    const ownOrigin = { DIFFUSION_DOCK_TOKEN_TEAM_ORIGINS: endpoint.origin };
    const services = await member({ ...ownOrigin, ...environment });
    const failure = {
      code: 'credential-missing',
      message: expect.stringMatching(message),
      remedy: { kind: 'credential' }
    };
    await expect(pullManifest(services, await manifest())).rejects.toMatchObject(failure);
    await expect(pullFetched(services)).rejects.toMatchObject(failure);
    const store = await openStore(services, 'team');
    await expect(store.head(storeKey('tiny'), signal)).rejects.toMatchObject(failure);
    expect(endpoint.requests).toEqual([]);
    expect(services.logged.join('\n')).not.toContain('CANARY');
  });
});
