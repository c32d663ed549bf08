import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CancellationToken,
  CancellationTokenSource,
  DidChangeTextDocumentNotification,
  DidChangeWatchedFilesNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  FileChangeType,
  type InitializeParams,
  type PreviousResultId,
  PublishDiagnosticsNotification,
  RegistrationRequest,
  type WorkspaceDiagnosticReport,
  WorkspaceDiagnosticRequest
} from 'vscode-languageserver/node';
import { ManifestsInView, SeveritiesChanged } from '../../../shared/protocol';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const ASKS: InitializeParams['capabilities'] = { textDocument: { diagnostic: {} } };
const WATCHES: InitializeParams['capabilities'] = {
  workspace: { didChangeWatchedFiles: { dynamicRegistration: true } }
};
const SHA = '0123456789abcdef'.repeat(4);
const WEB_APP = '{ "name": "App", "start_url": "/", "icons": [] }';

function manifest(sha256: string, name = 'm'): string {
  const files = [{ role: 'model', url: 'https://example.com/a.gguf', filename: 'a.gguf', sha256 }];
  return JSON.stringify({ name, files }, null, 2);
}

let server: TestConnection;
let folder: string;

beforeEach(async () => {
  server = await testConnection();
  folder = await temporaryFolder();
});

/** Writes a file as editors do, so that nobody sees a half of it. */
async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return uriOf(name);
}

function uriOf(name: string): string {
  return pathToFileURL(join(folder, name)).href;
}

async function open(uri: string, text: string): Promise<void> {
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
}

async function close(uri: string): Promise<void> {
  await server.client.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
}

async function see(...uris: string[]): Promise<void> {
  await server.client.sendNotification(ManifestsInView, { uris });
}

function ask(
  previousResultIds: PreviousResultId[] = [],
  token?: CancellationToken
): Promise<WorkspaceDiagnosticReport> {
  return server.client.sendRequest(WorkspaceDiagnosticRequest.type, { previousResultIds }, token);
}

/** What a client remembers of an answer. */
function remembered({ items }: WorkspaceDiagnosticReport): PreviousResultId[] {
  return items.flatMap(({ uri, resultId }) => (resultId === undefined ? [] : [{ uri, value: resultId }]));
}

/** Codes by file; `same` for what did not change. */
function told({ items }: WorkspaceDiagnosticReport): Record<string, unknown> {
  return Object.fromEntries(
    items.map((item) => [
      item.uri.slice(pathToFileURL(folder).href.length + 1),
      item.kind === 'full' ? item.items.map(({ code }) => code) : 'same'
    ])
  );
}

describe('an editor that asks for diagnostics', () => {
  beforeEach(() => server.start({ hostFindsManifests: true }, ASKS));

  it('is told what is wrong in manifests that are not open, and nothing of other documents', async () => {
    const uris = [await write('a.manifest.json', manifest('nope')), await write('b.manifest.json', WEB_APP)];
    await see(...uris);
    expect(told(await ask())).toEqual({ 'a.manifest.json': ['bad-digest'], 'b.manifest.json': [] });
  });

  it('waits for its answer until something changes, and then hears of that alone', async () => {
    const uris = [
      await write('a.manifest.json', manifest('nope', 'a')),
      await write('b.manifest.json', manifest(SHA, 'b'))
    ];
    await see(...uris);
    const first = await ask();
    let isAnswered = false;
    const second = ask(remembered(first)).finally(() => (isAnswered = true));
    // An answer to this comes after one to the other, if there were one.
    await server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri: uris[0] ?? '' } });
    expect(isAnswered).toBe(false);
    await write('b.manifest.json', manifest('wrong', 'b'));
    await see(...uris);
    expect(told(await second)).toEqual({ 'a.manifest.json': 'same', 'b.manifest.json': ['bad-digest'] });
  });

  it('is told that there is nothing to complain about any more when a manifest goes', async () => {
    const uri = await write('a.manifest.json', manifest('nope'));
    await see(uri);
    const first = await ask();
    await rm(join(folder, 'a.manifest.json'));
    await see();
    const second = await ask(remembered(first));
    expect(second.items).toEqual([{ kind: 'full', uri, version: null, items: [] }]);
  });

  it('hears of an open document on its own channel alone', async () => {
    const uris = [
      await write('a.manifest.json', manifest('nope')),
      await write('b.manifest.json', manifest('bad', 'b'))
    ];
    await see(...uris);
    await open(uris[0] ?? '', manifest('nope'));
    expect(told(await ask())).toEqual({ 'b.manifest.json': ['bad-digest'] });
  });

  it('is told of what is on disk once a document closes, whatever was written into it', async () => {
    const uri = await write('a.manifest.json', manifest('nope'));
    await see(uri);
    const first = await ask();
    await open(uri, manifest('nope'));
    const held = ask(remembered(first));
    await server.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version: 2 },
      contentChanges: [{ text: manifest(SHA) }]
    });
    const asked = server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
    await close(uri);
    expect(await asked).toMatchObject({ kind: 'full', items: [] });
    expect(told(await held)).toEqual({ 'a.manifest.json': ['bad-digest'] });
  });

  it('is not left with the findings of a document that closes and is none of the workspace', async () => {
    await see();
    const held = ask();
    await open('file:///elsewhere/manifest.json', manifest('nope'));
    await close('file:///elsewhere/manifest.json');
    expect((await held).items).toMatchObject([{ uri: 'file:///elsewhere/manifest.json', kind: 'full', items: [] }]);
  });

  it('keeps complaining about a manifest that was saved broken when it closes', async () => {
    const uri = await write('a.manifest.json', manifest(SHA));
    await see(uri);
    await ask();
    const broken = '{ "name": "m", "files": [ { "role": "model" ';
    await open(uri, manifest(SHA));
    await server.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version: 2 },
      contentChanges: [{ text: broken }]
    });
    await server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
    await write('a.manifest.json', broken);
    await close(uri);
    expect(told(await ask())).toMatchObject({ 'a.manifest.json': expect.arrayContaining(['syntax']) });
  });

  it('is told anew when a setting makes a finding graver or silent', async () => {
    const uri = await write('a.manifest.json', manifest('nope'));
    await see(uri);
    const held = ask(remembered(await ask()));
    await server.client.sendNotification(SeveritiesChanged, { 'bad-digest': 'off' });
    expect(told(await held)).toEqual({ 'a.manifest.json': [] });
  });

  it('is told on both of two manifests that claim one name, and on neither when one is renamed', async () => {
    const uris = [
      await write('a.manifest.json', manifest(SHA)),
      await write('b.manifest.json', manifest(SHA.replace('0', 'f')))
    ];
    await see(...uris);
    const first = await ask();
    expect(told(first)).toEqual({ 'a.manifest.json': ['duplicate-name'], 'b.manifest.json': ['duplicate-name'] });
    await write('b.manifest.json', manifest(SHA.replace('0', 'f'), 'other'));
    await see(...uris);
    expect(told(await ask(remembered(first)))).toEqual({ 'a.manifest.json': [], 'b.manifest.json': [] });
  });

  it('may take its question back', async () => {
    const source = new CancellationTokenSource();
    const held = ask([], source.token);
    source.cancel();
    expect((await held).items).toEqual([]);
  });

  it('is told of a manifest that is too large to be read', async () => {
    const uri = await write(
      'a.manifest.json',
      manifest(SHA).replace('{', `{ "notes": "${'x'.repeat(9 * 1024 * 1024)}",`)
    );
    await open(uri, manifest(SHA));
    await server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
    await see(uri);
    await close(uri);
    expect(told(await ask())).toEqual({ 'a.manifest.json': ['too-large'] });
  });
});

/** What the editor shows by now, by URI, and how often it was told. */
function screen() {
  const shown = new Map<string, number>();
  const events: string[] = [];
  const waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];
  server.client.onNotification(PublishDiagnosticsNotification.type, ({ uri, diagnostics }) => {
    shown.set(uri, diagnostics.length);
    events.push(uri);
    for (const { holds, resolve } of waiting) if (holds()) resolve();
  });
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => (holds() ? resolve() : waiting.push({ holds, resolve })));
  return { shown, events, until };
}

async function happened(uri: string, type: FileChangeType): Promise<void> {
  await server.client.sendNotification(DidChangeWatchedFilesNotification.type, { changes: [{ uri, type }] });
}

describe('an editor that is sent diagnostics', () => {
  it('is sent the findings in the manifests of its workspace, found and followed without its help', async () => {
    const uri = await write('a.manifest.json', manifest('nope'));
    await write('b.manifest.json', manifest(SHA, 'b'));
    const { shown, events, until } = screen();
    let watched: unknown;
    server.client.onRequest(RegistrationRequest.type, ({ registrations }) => {
      watched = registrations;
    });
    await server.start({}, WATCHES, folder);
    await until(() => shown.get(uri) === 1);
    expect(watched).toMatchObject([
      { registerOptions: { watchers: [{ globPattern: '**/{manifest.json,*.manifest.json}' }] } }
    ]);
    await write('a.manifest.json', manifest(SHA));
    await happened(uri, FileChangeType.Changed);
    await until(() => shown.get(uri) === 0);
    const added = await write('c.manifest.json', manifest('bad', 'c'));
    await happened(added, FileChangeType.Created);
    await until(() => shown.get(added) === 1);
    await rm(join(folder, 'c.manifest.json'));
    await happened(added, FileChangeType.Deleted);
    await until(() => shown.get(added) === 0);
    // What is sound was never worth a message, and nothing was said twice.
    expect(events).toEqual([uri, uri, added, added]);
  });

  it('goes on from the open text to the saved one when a document closes', async () => {
    const uri = await write('a.manifest.json', manifest('nope'));
    const { shown, until } = screen();
    await server.start({}, WATCHES, folder);
    await until(() => shown.get(uri) === 1);
    await open(uri, manifest(SHA));
    await until(() => shown.get(uri) === 0);
    await close(uri);
    await until(() => shown.get(uri) === 1);
  });
});
