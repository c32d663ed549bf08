import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DidOpenTextDocumentNotification,
  DocumentFormattingRequest,
  DocumentLinkRequest,
  DocumentSymbolRequest,
  ExecuteCommandRequest,
  FoldingRangeRequest,
  HoverRequest,
  type InitializeParams,
  type InitializeResult,
  InlayHintRequest,
  ShowMessageNotification,
  WorkDoneProgressCreateRequest
} from 'vscode-languageserver/node';
import { ListCredentialAliases, ManifestsInView } from '../../../shared/protocol';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const SNIPPETS: InitializeParams['capabilities'] = {
  textDocument: { completion: { completionItem: { snippetSupport: true } } }
};

const TEXT = `{
  "name": "edited",
  "licence": "MIT",
  "files": [
    { "role": "model", "url": "weights.gguf", "filename": "weights.gguf", "size_bytes": 4200000000 }
  ]
}
`;

let server: TestConnection;
let uri: string;
let folder: string;

beforeEach(async () => {
  server = await testConnection();
  folder = await temporaryFolder();
  uri = pathToFileURL(join(folder, 'manifest.json')).href;
  await writeFile(join(folder, 'manifest.json'), TEXT);
});

async function open(text = TEXT): Promise<void> {
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
}

/** The position of a text in the manifest, behind its first `by` characters. */
function at(text: string, by = 1) {
  const line = TEXT.split('\n').findIndex((candidate) => candidate.includes(text));
  return { line, character: (TEXT.split('\n')[line]?.indexOf(text) ?? 0) + by };
}

describe('an editor that knows nothing of us', () => {
  it('gets completions as plain text or as snippets, as it can', async () => {
    await server.start({}, {});
    await open();
    const found = await server.client.sendRequest(CompletionRequest.type, {
      textDocument: { uri },
      position: at('"role"')
    });
    const role = [found].flat().find((item) => item && 'label' in item && item.label === 'role');
    expect(role).toMatchObject({ insertTextFormat: 1, textEdit: { newText: '"role"' } });
  });

  it('gets hovers whose text is no markup', async () => {
    await server.start({}, {});
    await open(TEXT.replace('weights.gguf"', '[x](command:evil).gguf"'));
    const hover = await server.client.sendRequest(HoverRequest.type, {
      textDocument: { uri },
      position: at('"url": "', 9)
    });
    expect(JSON.stringify(hover)).not.toMatch(/(?<!\\)\[x\]/);
    expect(hover).toMatchObject({ contents: { kind: 'markdown' } });
  });

  it('gets outline, folds and formatting, for its JSON may have none', async () => {
    const answer = (await server.start({}, {})) as InitializeResult;
    expect(answer.capabilities).toMatchObject({ documentFormattingProvider: true, foldingRangeProvider: true });
    await open();
    const textDocument = { uri };
    const symbols = await server.client.sendRequest(DocumentSymbolRequest.type, { textDocument });
    expect(symbols).toMatchObject([{ name: 'edited', children: [{ name: 'weights.gguf', detail: 'model' }] }]);
    const folds = await server.client.sendRequest(FoldingRangeRequest.type, { textDocument });
    expect(folds).toEqual([
      { startLine: 0, endLine: 5 },
      { startLine: 3, endLine: 4 }
    ]);
    const options = { tabSize: 4, insertSpaces: false };
    const edits = await server.client.sendRequest(DocumentFormattingRequest.type, { textDocument, options });
    expect(edits?.length).toBeGreaterThan(0);
  });

  it('pulls from a lens, with progress, and tells what went wrong', async () => {
    await server.start({}, {});
    server.client.onRequest(WorkDoneProgressCreateRequest.type, () => undefined);
    await open();
    await server.client.sendNotification(ManifestsInView, { uris: [uri] });
    const lenses = await server.client.sendRequest(CodeLensRequest.type, { textDocument: { uri } });
    expect(lenses?.map(({ command }) => command?.title)).toEqual(['Pull']);
    const told = new Promise<string>((resolve) => {
      server.client.onNotification(ShowMessageNotification.type, ({ message }) => resolve(message));
    });
    const { command, arguments: words } = lenses![0]!.command!;
    await server.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: words ?? [] });
    expect(await told).toContain('weights.gguf');
  });
});

describe('VS Code', () => {
  it('keeps its own outline, folds and formatting, and runs the lenses itself', async () => {
    const answer = (await server.start({ hostEditsJson: true, hostRunsCommands: true }, SNIPPETS)) as InitializeResult;
    expect(answer.capabilities).not.toHaveProperty('documentFormattingProvider');
    expect(answer.capabilities).not.toHaveProperty('executeCommandProvider');
    expect(answer.capabilities).toHaveProperty('codeLensProvider');
  });

  it('is asked for the aliases of stored credentials, never for a secret', async () => {
    await server.start({ providesCredentials: true }, SNIPPETS);
    server.client.onRequest(ListCredentialAliases, () => ['our-hub']);
    await open(TEXT.replace('"licence": "MIT"', '"credential_alias": ""'));
    const line = 2;
    const position = { line, character: '  "credential_alias": "'.length };
    const found = await server.client.sendRequest(CompletionRequest.type, { textDocument: { uri }, position });
    expect([found].flat().map((item) => item && 'label' in item && item.label)).toEqual(['huggingface', 'our-hub']);
  });
});

describe('a manifest in an editor', () => {
  beforeEach(async () => {
    await server.start({}, SNIPPETS);
    await open();
  });

  it('completes the files beside it', async () => {
    await writeFile(join(folder, 'weights.gguf'), sampleBytes(10));
    await mkdir(join(folder, 'more'));
    const position = at('"url": "', 8);
    const found = await server.client.sendRequest(CompletionRequest.type, { textDocument: { uri }, position });
    const labels = [found].flat().map((item) => item && 'label' in item && item.label);
    expect(labels).toEqual(expect.arrayContaining(['weights.gguf', 'more/']));
  });

  it('offers the quick fix of a finding, and one for all', async () => {
    const range = { start: at('"licence"'), end: at('"licence"') };
    const actions = await server.client.sendRequest(CodeActionRequest.type, {
      textDocument: { uri },
      range,
      context: { diagnostics: [] }
    });
    expect(actions?.map(({ title }) => title)).toEqual(['Write “license”', 'Fix all that is certain in this manifest']);
    expect(actions?.[0]).toMatchObject({
      kind: 'quickfix',
      isPreferred: true,
      edit: { changes: { [uri]: [{ newText: '"license"' }] } }
    });
  });

  it('offers only what the editor asks for', async () => {
    const range = { start: at('"licence"'), end: at('"licence"') };
    const actions = await server.client.sendRequest(CodeActionRequest.type, {
      textDocument: { uri },
      range,
      context: { diagnostics: [], only: ['source.fixAll'] }
    });
    expect(actions?.map((action) => 'kind' in action && action.kind)).toEqual(['source.fixAll.diffusionDock']);
  });

  it('links to the file that it names', async () => {
    const links = await server.client.sendRequest(DocumentLinkRequest.type, { textDocument: { uri } });
    expect(links).toMatchObject([{ target: pathToFileURL(join(folder, 'weights.gguf')).href }]);
  });

  it('shows sizes for people', async () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 6, character: 0 } };
    const hints = await server.client.sendRequest(InlayHintRequest.type, { textDocument: { uri }, range });
    expect(hints?.map(({ label }) => label)).toEqual(['4.2 GB']);
  });

  it('leads nowhere while it is not installed', async () => {
    const position = at('"edited"');
    expect(await server.client.sendRequest(DefinitionRequest.type, { textDocument: { uri }, position })).toEqual([]);
  });
});

it('gives a foreign document nothing at all', async () => {
  await server.start({}, SNIPPETS);
  await open('{ "name": "App", "short_name": "A", "icons": [], "start_url": "/", "licence": "x" }');
  const textDocument = { uri };
  const position = { line: 0, character: 3 };
  const range = { start: position, end: position };
  expect(await server.client.sendRequest(CompletionRequest.type, { textDocument, position })).toEqual([]);
  expect(await server.client.sendRequest(HoverRequest.type, { textDocument, position })).toBeNull();
  expect(await server.client.sendRequest(CodeLensRequest.type, { textDocument })).toEqual([]);
  const context = { diagnostics: [] };
  expect(await server.client.sendRequest(CodeActionRequest.type, { textDocument, range, context })).toEqual([]);
});
