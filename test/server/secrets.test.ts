import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readGenerationRequest } from '../../server/operations/generate/check';
import { respond, startRawServer } from '../support/raw-http-server';
import { type CliResult, runCli, startCli } from '../support/run-cli';
import { sampleBytes, sha256 } from '../support/sample-bytes';
import { temporaryFolder } from '../support/temporary-folder';
import { testConnection } from '../support/test-connection';
import { pullManifest, testServices, writeManifest } from '../support/test-services';

const CANARY = 'CANARY-4711-abcdef';
const CONTENT = sampleBytes(1000);

/** Everything that was written below a folder, names and contents. */
async function everythingIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
  return entries.map(({ name }) => name).join('\n') + texts.join('\n');
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('a secret', () => {
  it.each([
    ['hf_token', { hf_token: CANARY }],
    ['password', { extra: { login: { PASSWORD: 4711 } } }],
    ['huggingface.api-key', { 'huggingface.api-key': CANARY }],
    ['token', { defaults: { width: 512, token: CANARY } }],
    ['password', { source: `https://user:${CANARY}@example.com/model` }]
  ])('in a manifest is refused by a pull, which names %s', async (field, fields) => {
    const services = await testServices();
    const manifest = await writeManifest([{ url: 'https://example.com/w' }], fields);
    const failure: unknown = await pullManifest(services, manifest).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'invalid-manifest', message: expect.stringMatching(new RegExp(field, 'i')) });
    expect(JSON.stringify(failure) + services.logged.join('') + (await everythingIn(services.root))).not.toMatch(
      /CANARY|4711/
    );
  });

  it.each(['hf_token', 'nested.api_key', 'defaults.Auth-Token'])(
    'in a request for an image is refused, which names %s',
    (field) => {
      const failure = thrownBy(() => readGenerationRequest({ prompt: 'a cat', [field]: CANARY }));
      expect(failure).toMatchObject({ code: 'bad-request', subject: field });
      expect(JSON.stringify(failure)).not.toContain('CANARY');
    }
  );

  it.each([`hf_token=${CANARY}`, CANARY])('in --set %s is not repeated', async (text) => {
    const words = ['generate', 'm', '--prompt', 'a cat', '--set', text];
    const result = await runCli(words, { home: await temporaryFolder() });
    expect(result.status).toBe(2);
    expect(result.out + result.err).not.toContain('CANARY');
  });

  it('in the options of an editor is refused, with the name of the field', async () => {
    const server = await testConnection();
    const options = { network: { apiKey: CANARY } } as Parameters<typeof server.start>[0];
    const failure: unknown = await server.start(options).catch((error: unknown) => error);
    expect(String(failure)).toContain('network.apiKey');
    expect(String(failure) + JSON.stringify(failure)).not.toContain('CANARY');
    await server.start();
  });
});

/** A hub behind a redirect to a signed address, and a file server that fails in its own way. */
async function pullThrough(status: number): Promise<{ result: CliResult; home: string }> {
  const cdn = await startRawServer((_, socket) =>
    respond(socket, status, { 'Content-Length': 1000 }, status === 200 ? CONTENT : sampleBytes(1000, 2))
  );
  const redirect = { Location: `${cdn.origin}/w?X-Amz-Signature=${CANARY}#${CANARY}`, 'Content-Length': 0 };
  const hub = await startRawServer((_, socket) => respond(socket, 302, redirect));
  onTestFinished(async () => void (await Promise.all([cdn.close(), hub.close()])));
  const manifest = await writeManifest([{ url: `${hub.origin}/w`, sha256: sha256(CONTENT) }], {
    credential_alias: 'my-hub'
  });
  const home = await temporaryFolder();
  const environment = {
    DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY,
    DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: hub.origin,
    HTTPS_PROXY: `http://user:${CANARY}@proxy.invalid:1`
  };
  return { result: await startCli(['pull', manifest, '--json'], { home, environment }).ended, home };
}

describe('what a pull writes and says', () => {
  it.each([
    [200, 0],
    [403, 1],
    [404, 1],
    [410, 1]
  ])('holds neither tokens nor signatures when the server answers %d', async (status, exit) => {
    const { result, home } = await pullThrough(status);
    expect(result.status).toBe(exit);
    expect(result.out + result.err + (await everythingIn(home))).not.toContain('CANARY');
  });
});
