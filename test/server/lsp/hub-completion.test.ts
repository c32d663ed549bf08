import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  CancellationTokenSource,
  CompletionRequest,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification
} from 'vscode-languageserver/node';
import { type MovingHubOptions, startMovingHub } from '../../support/hub/moving-hub';
import { sampleBytes } from '../../support/sample-bytes';
import { testConnection } from '../../support/test-connection';

const FILES = {
  'q4/flux q4.gguf': sampleBytes(5000),
  'ae.safetensors': sampleBytes(3000),
  'README.md': sampleBytes(9)
};
const URI = 'file:///w/manifest.json';

/** Answers searches for repositories. */
function search({ url = '' }: IncomingMessage, response: ServerResponse): boolean {
  if (!url.startsWith('/api/models?')) return false;
  const found = [{ id: 'owner/repo' }, { id: 'owner/other' }, { id: 'old-model' }, { id: 'bad/na me' }];
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(found));
  return true;
}

async function typing(options: MovingHubOptions = {}, { trusted = true } = {}) {
  const hub = await startMovingHub(FILES, { before: search, ...options });
  const server = await testConnection({ HF_ENDPOINT: hub.origin });
  await server.start({ trusted, hostFindsManifests: true });
  let version = 0;
  const write = async (url: string): Promise<{ line: number; character: number }> => {
    const text = `{ "name": "m", "files": [{ "role": "vae", "filename": "a.gguf", "url": "${url}" }] }`;
    version += 1;
    const textDocument = { uri: URI, version };
    if (version === 1) {
      await server.client.sendNotification(DidOpenTextDocumentNotification.type, {
        textDocument: { ...textDocument, languageId: 'json', text }
      });
    } else {
      const contentChanges = [{ text }];
      await server.client.sendNotification(DidChangeTextDocumentNotification.type, { textDocument, contentChanges });
    }
    return { line: 0, character: text.indexOf(url) + url.length };
  };
  const proposed = async (url: string): Promise<string[]> => {
    const params = { textDocument: { uri: URI }, position: await write(url) };
    const found = await server.client.sendRequest(CompletionRequest.type, params);
    const items = (Array.isArray(found) ? found : found?.items) ?? [];
    return items.map(({ label }) => label);
  };
  return { hub, server, write, proposed };
}

describe('the address of a file on the hub, while it is typed', () => {
  it('is completed with repositories that can be named', async () => {
    const { proposed } = await typing();
    expect(await proposed('hf:ow')).toEqual(['hf:owner/repo/', 'hf:owner/other/']);
  });

  it('is completed with the weights of the repository, and goes on from what is written', async () => {
    const { hub, proposed } = await typing();
    expect(await proposed('hf:owner/repo/')).toEqual([
      'hf:owner/repo/ae.safetensors',
      'hf:owner/repo/q4/flux%20q4.gguf'
    ]);
    expect(await proposed('hf:owner/repo/q4/')).toEqual(['hf:owner/repo/q4/flux%20q4.gguf']);
    // One question serves for every letter.
    expect(hub.requests).toHaveLength(1);
    expect(await proposed('hf:owner/repo@main/a')).toEqual(['hf:owner/repo@main/ae.safetensors']);
  });

  it('makes nobody ask for a letter', async () => {
    const { hub, proposed } = await typing();
    await proposed('hf:o');
    await proposed('https://exam');
    expect(hub.requests).toEqual([]);
  });

  it('gets nothing, and no word about it, when nobody answers; the hub is left alone for a while', async () => {
    const { hub, proposed } = await typing({ before: (request) => Boolean(request.socket.destroy()) });
    expect(await proposed('hf:owner/repo/')).toEqual([]);
    const asked = hub.requests.length;
    expect(await proposed('hf:owner/repo/q')).toEqual([]);
    expect(await proposed('hf:another/repo/')).toEqual([]);
    expect(await proposed('hf:any')).toEqual([]);
    expect(hub.requests).toHaveLength(asked);
  });

  it.each([404, 401])(
    'is completed although a name before it was answered with %i, which is asked once',
    async (status) => {
      const { hub, proposed } = await typing({
        before: ({ url = '' }, response) => {
          const isKnown = url.includes('owner/repo/');
          if (!isKnown) response.writeHead(status).end();
          return !isKnown;
        }
      });
      expect(await proposed('hf:owner/rep/')).toEqual([]);
      expect(await proposed('hf:owner/rep/a')).toEqual([]);
      expect(hub.requests).toHaveLength(1);
      expect(await proposed('hf:owner/repo/')).toHaveLength(2);
    }
  );

  it('gets nothing in an untrusted workspace', async () => {
    const { hub, proposed } = await typing({}, { trusted: false });
    expect(await proposed('hf:owner/repo/')).toEqual([]);
    expect(hub.requests).toEqual([]);
  });

  it('is asked for no longer when somebody types on', async () => {
    let reached: (() => void) | undefined;
    const isAsked = new Promise<void>((resolve) => (reached = resolve));
    const { hub, server, write } = await typing({
      before: () => {
        reached?.();
        return true;
      }
    });
    const source = new CancellationTokenSource();
    const params = { textDocument: { uri: URI }, position: await write('hf:owner/repo/') };
    const answer = server.client.sendRequest(CompletionRequest.type, params, source.token);
    await isAsked;
    source.cancel();
    await answer.catch(() => undefined);
    await expect.poll(() => hub.underWay()).toBe(0);
  });
});
