import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RawAnswer, type RawServer, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CANARY = 'hf_CANARY0123456789';
const CONTENT = sampleBytes(1000);

async function serve(
  answer: RawAnswer = (_, socket) => respond(socket, 200, { 'Content-Length': 1000 }, CONTENT)
): Promise<RawServer> {
  const server = await startRawServer(answer);
  onTestFinished(() => server.close());
  return server;
}

/** Pulls one file with the alias `my-hub`. */
async function pullWith(
  url: string,
  environment: Record<string, string>,
  fields: Record<string, unknown> = { credential_alias: 'my-hub' },
  credentialAlias?: string
) {
  const services = await testServices({ environment });
  const pulled = pullManifest(services, await writeManifest([{ url, sha256: sha256(CONTENT) }], fields), {
    ...(credentialAlias !== undefined && { credentialAlias })
  });
  const failure = await pulled.then(
    () => undefined,
    (error: unknown) => error
  );
  const registry = JSON.stringify(await services.registry.read());
  return { failure, traces: JSON.stringify(failure ?? {}) + services.logged.join('\n') + registry };
}

describe('a credential', () => {
  it('is sent to its own origin', async () => {
    const server = await serve();
    const { failure, traces } = await pullWith(`${server.origin}/w`, {
      DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY,
      DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: `https://other.example, ${server.origin}/`
    });
    expect(failure).toBeUndefined();
    expect(server.requests[0]?.headers['authorization']).toBe(`Bearer ${CANARY}`);
    expect(traces).not.toContain('CANARY');
  });

  it('is not sent to an origin that it does not name', async () => {
    const server = await serve();
    await pullWith(`${server.origin}/w`, {
      DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY,
      DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: 'https://other.example'
    });
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('is left out when a redirect leads to another origin', async () => {
    const far = await serve();
    const near = await serve((_, socket) => respond(socket, 302, { Location: `${far.origin}/w`, 'Content-Length': 0 }));
    const { failure } = await pullWith(`${near.origin}/w`, {
      DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY,
      DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: near.origin
    });
    expect(failure).toBeUndefined();
    expect(near.requests[0]?.headers['authorization']).toBe(`Bearer ${CANARY}`);
    expect(JSON.stringify(far.requests)).not.toContain('CANARY');
  });

  it('that nobody stored fails before any connection', async () => {
    const server = await serve();
    const { failure } = await pullWith(`${server.origin}/w`, {});
    expect(failure).toMatchObject({
      code: 'credential-missing',
      nextStep: expect.stringContaining('DIFFUSION_DOCK_TOKEN_MY_HUB')
    });
    expect(server.requests).toEqual([]);
  });

  it('that nobody stored is not missed by whoever has all files already', async () => {
    const server = await serve();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT), size_bytes: 1000 }], {
      credential_alias: 'my-hub'
    });
    const environment = { DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY, DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: server.origin };
    const { root } = await testServices({ environment }).then(async (services) => {
      await pullManifest(services, manifest);
      return services;
    });
    const asked = server.requests.length;
    await expect(pullManifest(await testServices({ root, environment: {} }), manifest)).resolves.toBeDefined();
    expect(server.requests).toHaveLength(asked);
  });

  it('that the order names is sent instead of the one that the manifest names', async () => {
    const server = await serve();
    const { failure } = await pullWith(
      `${server.origin}/w`,
      {
        DIFFUSION_DOCK_TOKEN_MY_HUB: 'not-this-one',
        DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: server.origin,
        DIFFUSION_DOCK_TOKEN_MINE: CANARY,
        DIFFUSION_DOCK_TOKEN_MINE_ORIGINS: server.origin
      },
      { credential_alias: 'my-hub' },
      'mine'
    );
    expect(failure).toBeUndefined();
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([`Bearer ${CANARY}`]);
  });

  it.each(['nobody-s', ''])(
    'that the order names as “%s” and nobody stored fails before any connection',
    async (alias) => {
      const server = await serve();
      const { failure } = await pullWith(
        `${server.origin}/w`,
        { DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY, DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: server.origin },
        { credential_alias: 'my-hub' },
        alias
      );
      expect(failure).toMatchObject({ code: 'credential-missing', message: expect.stringContaining(`“${alias}”`) });
      expect(server.requests).toEqual([]);
    }
  );

  it('that is not accepted is named by its alias, never by its secret', async () => {
    const server = await serve((_, socket) => respond(socket, 401, { 'Content-Length': 0 }));
    const { failure, traces } = await pullWith(`${server.origin}/w`, {
      DIFFUSION_DOCK_TOKEN_MY_HUB: CANARY,
      DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: server.origin
    });
    expect(failure).toMatchObject({
      code: 'http-status',
      nextStep: expect.stringContaining('"my-hub" is not accepted'),
      remedy: { kind: 'credential' }
    });
    expect(traces).not.toContain('CANARY');
  });
});

describe('the hub', () => {
  const fields = {};

  it('gets the token of its own tools, at the endpoint that the user set', async () => {
    const hub = await serve();
    const { failure } = await pullWith(
      'hf:owner/repo@v1/sub/file.gguf',
      { HF_TOKEN: CANARY, HF_ENDPOINT: hub.origin },
      fields
    );
    expect(failure).toBeUndefined();
    const proof = `Bearer ${CANARY}`;
    expect(hub.requests.map(({ headers }) => headers['authorization'])).toEqual([proof, proof]);
    expect(hub.requests.at(-1)?.path).toBe('/owner/repo/resolve/v1/sub/file.gguf');
  });

  it('gets the token from the file that its tools write', async () => {
    const hub = await serve();
    const home = await temporaryFolder();
    await writeFile(join(home, 'token'), `${CANARY}\n`);
    await pullWith('hf:owner/repo/file.gguf', { HF_HOME: home, HF_ENDPOINT: hub.origin }, fields);
    const proof = `Bearer ${CANARY}`;
    expect(hub.requests.map(({ headers }) => headers['authorization'])).toEqual([proof, proof]);
    expect(hub.requests.at(-1)?.path).toBe('/owner/repo/resolve/main/file.gguf');
  });

  it('gets no token when its tools are told not to send one', async () => {
    const hub = await serve();
    await pullWith(
      'hf:o/r/f',
      { HF_TOKEN: CANARY, HF_ENDPOINT: hub.origin, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' },
      fields
    );
    expect(hub.requests.length).toBeGreaterThan(0);
    for (const { headers } of hub.requests) expect(headers).not.toHaveProperty('authorization');
  });

  it('says where the terms of a gated model are accepted', async () => {
    const hub = await serve((_, socket) => respond(socket, 403, { 'X-Error-Code': 'GatedRepo', 'Content-Length': 0 }));
    const { failure } = await pullWith(
      'hf:owner/repo/file.gguf',
      { HF_TOKEN: CANARY, HF_ENDPOINT: hub.origin },
      fields
    );
    const terms = `${hub.origin}/owner/repo`;
    expect(failure).toMatchObject({ nextStep: expect.stringContaining(terms), remedy: { kind: 'terms', url: terms } });
  });
});
