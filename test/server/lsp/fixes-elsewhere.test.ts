import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  CancellationTokenSource,
  type CodeAction,
  CodeActionRequest,
  CodeActionResolveRequest,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  type InitializeParams,
  ShowMessageNotification,
  TextDocumentEdit
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { ManifestsInView, PullModel } from '../../../shared/protocol';
import { BuiltCache } from '../../support/hub/built-cache';
import { type MovingHub, type MovingHubOptions, startMovingHub } from '../../support/hub/moving-hub';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const LARGE = sampleBytes(5000);
const OTHER = sampleBytes(6000, 2);
const SMALL = Buffer.from('{ "small": true }');
const RESOLVES: InitializeParams['capabilities'] = {
  textDocument: { codeAction: { dataSupport: true, resolveSupport: { properties: ['edit'] } } }
};

interface File {
  readonly url: string;
  readonly filename: string;
  readonly sha256?: string;
}

interface Desk {
  readonly server: TestConnection;
  readonly hub: MovingHub;
  readonly folder: string;
  readonly uri: string;
  readonly text: string;
  /** Titles of what is offered at a text of the manifest. */
  offered(at: string): Promise<readonly CodeAction[]>;
  /** Chooses an action. @returns the manifest afterwards, or undefined when nothing changed */
  choose(at: string, title: RegExp): Promise<ReturnType<typeof JSON.parse>>;
  /** What the editor was told. */
  readonly told: string[];
}

interface DeskOptions extends MovingHubOptions {
  readonly environment?: Record<string, string>;
  readonly trusted?: boolean;
  readonly capabilities?: InitializeParams['capabilities'];
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A manifest in an editor, and a hub that is there. */
async function deskWith(files: readonly File[], options: DeskOptions = {}): Promise<Desk> {
  const { environment = {}, trusted = true, capabilities = RESOLVES, fields = {} } = options;
  const hub = await startMovingHub({ 'large.gguf': LARGE, 'other.gguf': OTHER, 'config.json': SMALL }, options);
  const folder = await temporaryFolder();
  const server = await testConnection({
    HF_ENDPOINT: hub.origin,
    HF_HUB_CACHE: join(folder, 'no-cache'),
    HF_TOKEN: 'hf_test',
    ...environment
  });
  const told: string[] = [];
  server.client.onNotification(ShowMessageNotification.type, ({ message }) => void told.push(message));
  await server.start({ trusted, hostFindsManifests: true }, capabilities);
  const entries = files.map((file) => ({ role: 'lora', ...file }));
  const text = JSON.stringify({ name: 'desk', ...fields, files: entries }, null, 2);
  const uri = pathToFileURL(join(folder, 'manifest.json')).href;
  await writeFile(join(folder, 'manifest.json'), text);
  const document = TextDocument.create(uri, 'json', 1, text);
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: 'json', version: 1, text }
  });
  const offered = async (at: string): Promise<CodeAction[]> => {
    const position = document.positionAt(text.indexOf(at));
    const params = { textDocument: { uri }, range: { start: position, end: position }, context: { diagnostics: [] } };
    const actions = (await server.client.sendRequest(CodeActionRequest.type, params)) ?? [];
    return actions.filter((action): action is CodeAction => 'kind' in action && action.kind === 'quickfix');
  };
  return {
    server,
    hub,
    folder,
    uri,
    text,
    offered,
    told,
    async choose(at, title) {
      const action = (await offered(at)).find((candidate) => title.test(candidate.title));
      if (!action) throw new Error(`no action ${title}`);
      const { edit } = await server.client.sendRequest(CodeActionResolveRequest.type, action);
      const edits = edit?.changes?.[uri];
      return edits && JSON.parse(TextDocument.applyEdits(document, edits));
    }
  };
}

const HUB_FILE: File = { url: 'hf:owner/repo/large.gguf', filename: 'large.gguf' };
const OTHER_FILE: File = { url: 'hf:owner/repo@main/other.gguf', filename: 'other.gguf' };

describe('a branch in an address of the hub', () => {
  it('is pinned to the commit that the hub names, and the hub hears of it only then', async () => {
    const desk = await deskWith([HUB_FILE]);
    await desk.offered('hf:owner');
    expect(desk.hub.requests).toEqual([]);
    const commit = desk.hub.publish({ 'large.gguf': OTHER });
    expect(await desk.choose('hf:owner', /which commit “main” is/)).toMatchObject({
      files: [{ url: `hf:owner/repo@${commit}/large.gguf` }]
    });
    expect(desk.hub.requests).toHaveLength(1);
    expect(desk.hub.proofs).toEqual(['Bearer hf_test']);
  });

  it.each(['https://HuggingFace.co', 'HTTPS://huggingface.co', 'https://huggingface.co:443'])(
    'is pinned in an address that begins with %s',
    async (origin) => {
      const desk = await deskWith([{ url: `${origin}/owner/repo/resolve/main/large.gguf`, filename: 'large.gguf' }]);
      const commit = desk.hub.publish({ 'large.gguf': LARGE, 'other.gguf': OTHER });
      expect(await desk.choose(origin, /which commit “main” is/)).toMatchObject({
        files: [{ url: `https://huggingface.co/owner/repo/resolve/${commit}/large.gguf` }]
      });
    }
  );

  it('is pinned in all files with one question for each revision', async () => {
    const desk = await deskWith([HUB_FILE, OTHER_FILE]);
    const { files } = await desk.choose('hf:owner', /commits of all 2 files/);
    for (const { url } of files) expect(url).toMatch(/^hf:owner\/repo@[0-9a-f]{40}\//);
    expect(desk.hub.requests).toHaveLength(1);
  });
});

describe('digest and size of a file of the hub', () => {
  it('are what the hub declares', async () => {
    const desk = await deskWith([{ ...HUB_FILE, sha256: '0'.repeat(64) }]);
    expect(await desk.choose('0000', /hub for “sha256”/)).toMatchObject({
      files: [{ sha256: sha256(LARGE), size_bytes: LARGE.length }]
    });
  });

  it('are filled in for all files that lack them, and of small files the size alone', async () => {
    const small = { url: 'hf:owner/repo/config.json', filename: 'config.json' };
    const desk = await deskWith([HUB_FILE, OTHER_FILE, small]);
    const { files } = await desk.choose('hf:owner', /“sha256” .* of all 3 files/);
    expect(files).toMatchObject([
      { sha256: sha256(LARGE), size_bytes: LARGE.length },
      { sha256: sha256(OTHER), size_bytes: OTHER.length },
      { size_bytes: SMALL.length }
    ]);
    expect(files[2]).not.toHaveProperty('sha256');
  });
});

describe('a question that cannot be answered', () => {
  it.each<[string, DeskOptions, RegExp]>([
    ['nobody answers', { before: (request) => Boolean(request.socket.destroy()) }, /127\.0\.0\.1/],
    ['the workspace is not trusted', { trusted: false }, /untrusted workspace.*Trust the workspace/],
    ['the hub lists nothing', { lists: false }, /lists no files of hf:owner\/repo@main/],
    ['the credential is not there', { fields: { credential_alias: 'ours' } }, /no credential named “ours”/]
  ])('changes nothing and is told in a sentence: %s', async (_, options, sentence) => {
    const desk = await deskWith([HUB_FILE], options);
    expect(await desk.choose('hf:owner', /which commit/)).toBeUndefined();
    expect(desk.told).toEqual([expect.stringMatching(sentence)]);
  });

  it('names the file that the hub does not have', async () => {
    const desk = await deskWith([{ ...HUB_FILE, url: 'hf:owner/repo/absent.gguf' }]);
    expect(await desk.choose('hf:owner', /hub for “sha256”/)).toBeUndefined();
    expect(desk.told).toEqual([expect.stringContaining('holds no file absent.gguf')]);
  });

  it('may be taken back, and then nothing is told', async () => {
    let reached: (() => void) | undefined;
    const isAsked = new Promise<void>((resolve) => (reached = resolve));
    const silence = (): boolean => {
      reached?.();
      return true;
    };
    const desk = await deskWith([HUB_FILE], { before: silence });
    const [action] = await desk.offered('hf:owner');
    const source = new CancellationTokenSource();
    const answer = desk.server.client.sendRequest(CodeActionResolveRequest.type, action!, source.token);
    await isAsked;
    source.cancel();
    await expect(answer).rejects.toThrow(/cancelled/);
    expect(desk.told).toEqual([]);
  });

  it('changes nothing when somebody went on writing', async () => {
    const desk = await deskWith([HUB_FILE]);
    const [action] = await desk.offered('hf:owner');
    await desk.server.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri: desk.uri, version: 2 },
      contentChanges: [{ text: desk.text.replace('desk', 'mine') }]
    });
    const resolved = await desk.server.client.sendRequest(CodeActionResolveRequest.type, action!);
    expect(resolved.edit).toBeUndefined();
    expect(desk.told).toEqual([expect.stringContaining('changed meanwhile')]);
  });
});

describe('what this machine knows of a file', () => {
  it('is read from the file beside the manifest, as a digest that nobody declared', async () => {
    const desk = await deskWith([{ url: 'weights/a.gguf', filename: 'a.gguf' }]);
    expect(await desk.offered('weights/a.gguf')).toEqual([]);
    await mkdir(join(desk.folder, 'weights'));
    await writeFile(join(desk.folder, 'weights/a.gguf'), LARGE);
    expect(await desk.choose('weights/a.gguf', /^Hash weights\/a\.gguf .* nobody declared$/)).toMatchObject({
      files: [{ sha256: sha256(LARGE), size_bytes: LARGE.length }]
    });
  });

  it('is what the installed model was recorded with', async () => {
    const desk = await deskWith([{ url: 'a.gguf', filename: 'b.gguf' }]);
    await writeFile(join(desk.folder, 'a.gguf'), LARGE);
    await desk.server.client.sendNotification(ManifestsInView, { uris: [desk.uri] });
    await desk.server.client.sendRequest(PullModel, { name: 'desk' });
    expect(await desk.choose('a.gguf', /installed file, which nobody declared/)).toMatchObject({
      files: [{ sha256: sha256(LARGE), size_bytes: LARGE.length }]
    });
  });

  it.each(['link', 'shared'] as const)(
    'is the name that the Hugging Face cache keeps it by, offline: %s',
    async (form) => {
      const cache = await BuiltCache.create();
      const commit = 'a1'.repeat(20);
      await cache.put('models--owner--repo', commit, 'large.gguf', { bytes: LARGE, isLarge: true }, form);
      await cache.ref('models--owner--repo', 'main', commit);
      const desk = await deskWith([HUB_FILE], { environment: { HF_HUB_CACHE: cache.root } });
      expect(await desk.choose('hf:owner', /Hugging Face cache has the file by/)).toMatchObject({
        files: [{ sha256: sha256(LARGE), size_bytes: LARGE.length }]
      });
      expect(desk.hub.requests).toEqual([]);
    }
  );

  it('is not looked for in an untrusted workspace', async () => {
    const desk = await deskWith([{ url: 'a.gguf', filename: 'a.gguf' }], { trusted: false });
    await writeFile(join(desk.folder, 'a.gguf'), LARGE);
    expect(await desk.offered('a.gguf')).toEqual([]);
  });
});

it('offers none of this to an editor that could not ask for it when it is chosen', async () => {
  const desk = await deskWith([HUB_FILE], { capabilities: {} });
  expect(await desk.offered('hf:owner')).toEqual([]);
});

describe('a role that is missing', () => {
  const task = { task: 'upscale' };

  it('is added as an entry to be filled in', async () => {
    const desk = await deskWith([HUB_FILE], { fields: task });
    const [action] = await desk.offered('"upscale"');
    expect(action?.title).toBe('Add a file with the role “upscale_model”');
    const document = TextDocument.create(desk.uri, 'json', 1, desk.text);
    const edited = JSON.parse(TextDocument.applyEdits(document, action?.edit?.changes?.[desk.uri] ?? []));
    expect(edited.files).toEqual([
      { role: 'lora', ...HUB_FILE },
      { role: 'upscale_model', url: '', filename: '' }
    ]);
  });

  it('has tab stops where the editor understands them', async () => {
    const workspaceEdit = { documentChanges: true, snippetEditSupport: true };
    const desk = await deskWith([HUB_FILE], { fields: task, capabilities: { workspace: { workspaceEdit } } });
    const [action] = await desk.offered('"upscale"');
    const [change] = action?.edit?.documentChanges ?? [];
    expect(TextDocumentEdit.is(change) && change.edits).toMatchObject([
      { snippet: { kind: 'snippet', value: expect.stringMatching(/"url": "\$1", "filename": "\$2" \\\}$/) } }
    ]);
  });
});
