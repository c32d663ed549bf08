import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DidSaveTextDocumentNotification,
  type InitializeResult,
  PrepareRenameRequest,
  RenameRequest
} from 'vscode-languageserver/node';
import { DropModel, ListModels, ManifestsInView, PullModel } from '../../../shared/protocol';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const NAME = { line: 1, character: 13 };

let server: TestConnection;
let folder: string;
const uris: string[] = [];

beforeEach(async () => {
  server = await testConnection();
  folder = await temporaryFolder();
  uris.length = 0;
  await writeFile(join(folder, 'weights.gguf'), sampleBytes(10));
  const capabilities = { textDocument: { rename: { prepareSupport: true } } };
  const answer = (await server.start({ hostFindsManifests: true }, capabilities)) as InitializeResult;
  expect(answer.capabilities.renameProvider).toEqual({ prepareProvider: true });
});

async function write(file: string, model: string, extra = {}): Promise<string> {
  const files = [{ role: 'model', url: 'weights.gguf', filename: 'weights.gguf', ...extra }];
  const text = JSON.stringify({ name: model, files }, null, 2);
  const uri = pathToFileURL(join(folder, file)).href;
  await writeFile(join(folder, file), text);
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: 'json', version: 1, text }
  });
  uris.push(uri);
  await server.client.sendNotification(ManifestsInView, { uris });
  return uri;
}

function rename(uri: string, newName: string) {
  return server.client.sendRequest(RenameRequest.type, { textDocument: { uri }, position: NAME, newName });
}

/** Saves the only manifest with another name, as an editor tells it. */
async function save(file: string, model: string): Promise<void> {
  const path = join(folder, file);
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), name: model }, null, 2));
  const textDocument = { uri: pathToFileURL(path).href };
  await server.client.sendNotification(DidSaveTextDocumentNotification.type, { textDocument });
  await server.client.sendNotification(ManifestsInView, { uris });
}

/** For what a server does by itself. */
const WAIT = { timeout: 20_000, interval: 50 };

async function statuses(): Promise<string[]> {
  return (await server.client.sendRequest(ListModels)).map(({ name, status }) => `${name} ${status}`);
}

/** The names in the manifests of installed bundles, by their folders. */
async function installedNames(): Promise<Record<string, string>> {
  const models = join(server.root, 'models');
  const names = (await readdir(models)).map(async (bundle) => {
    const { name } = JSON.parse(await readFile(join(models, bundle, 'manifest.json'), 'utf8'));
    return [bundle, name];
  });
  return Object.fromEntries(await Promise.all(names));
}

async function listed(): Promise<string[]> {
  return (await server.client.sendRequest(ListModels)).map(({ name }) => name);
}

describe('the name of a model', () => {
  it('is what can be renamed, and nothing else in the manifest', async () => {
    const uri = await write('manifest.json', 'before');
    const ask = (line: number, character: number) =>
      server.client.sendRequest(PrepareRenameRequest.type, { textDocument: { uri }, position: { line, character } });
    expect(await ask(1, 13)).toEqual({
      range: { start: { line: 1, character: 11 }, end: { line: 1, character: 17 } },
      placeholder: 'before'
    });
    expect(await ask(1, 4)).toBeNull();
    expect(await ask(4, 16)).toBeNull();
  });

  it('is changed in every manifest that says the same', async () => {
    const one = await write('a.manifest.json', 'before');
    const two = await write('b.manifest.json', 'before');
    const range = { start: { line: 1, character: 11 }, end: { line: 1, character: 17 } };
    const edits = [{ range, newText: 'after' }];
    expect(await rename(one, 'after')).toEqual({ changes: { [one]: edits, [two]: edits } });
  });

  it('is left alone in a manifest that somebody is giving another name', async () => {
    const one = await write('a.manifest.json', 'before');
    const two = await write('b.manifest.json', 'before');
    const range = { start: { line: 1, character: 11 }, end: { line: 1, character: 17 } };
    await server.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri: two, version: 2 },
      contentChanges: [{ range, text: 'meanwhile' }]
    });
    expect(Object.keys((await rename(one, 'after'))?.changes ?? {})).toEqual([one]);
  });

  it('is changed in one manifest alone where the other describes another model', async () => {
    const one = await write('a.manifest.json', 'before');
    await write('b.manifest.json', 'before', { role: 'vae' });
    expect(Object.keys((await rename(one, 'after'))?.changes ?? {})).toEqual([one]);
  });

  it('is changed in the list of models as well, so that the old one does not stay', async () => {
    const uri = await write('manifest.json', 'before');
    await server.client.sendRequest(PullModel, { name: 'before' });
    await server.client.sendRequest(DropModel, { name: 'before' });
    await rename(uri, 'after');
    expect(await listed()).toEqual(['before']);
    const path = join(folder, 'manifest.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('before', 'after'));
    await server.client.sendNotification(ManifestsInView, { uris });
    expect(await listed()).toEqual(['after']);
  });

  it('is that of what is installed too, once the manifest is saved, and again when that is undone', async () => {
    const uri = await write('manifest.json', 'before');
    await server.client.sendRequest(PullModel, { name: 'before' });
    await rename(uri, 'after');
    expect(await statuses()).toEqual(['before installed']);
    await save('manifest.json', 'after');
    await vi.waitFor(async () => expect(await statuses()).toEqual(['after installed']), WAIT);
    expect(await installedNames()).toEqual({ after: 'after' });
    await save('manifest.json', 'before');
    await vi.waitFor(async () => expect(await statuses()).toEqual(['before installed']), WAIT);
    expect(await installedNames()).toEqual({ before: 'before' });
  });

  it('stays that of what is installed where nobody asked for it, and while another name is saved', async () => {
    const uri = await write('manifest.json', 'before');
    await server.client.sendRequest(PullModel, { name: 'before' });
    await save('manifest.json', 'by-hand');
    expect(await statuses()).toEqual(['before installed', 'by-hand registered']);
    await save('manifest.json', 'before');
    await rename(uri, 'after');
    await save('manifest.json', 'something-else');
    expect(await statuses()).toEqual(['before installed', 'something-else registered']);
    expect(await installedNames()).toEqual({ before: 'before' });
  });

  it('is not changed while the workspace is not trusted and the model is installed', async () => {
    const uri = await write('manifest.json', 'before');
    await server.client.sendRequest(PullModel, { name: 'before' });
    const other = await testConnection();
    await other.start({ hostFindsManifests: true, trusted: false, cacheRoot: server.root });
    const textDocument = { uri, languageId: 'json', version: 1, text: await readFile(fileURLToPath(uri), 'utf8') };
    await other.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    await other.client.sendNotification(ManifestsInView, { uris });
    const answer = other.client.sendRequest(RenameRequest.type, {
      textDocument: { uri },
      position: NAME,
      newName: 'after'
    });
    await expect(answer).rejects.toThrow(/not available in an untrusted workspace/);
  });

  it('may have other upper and lower case at any time', async () => {
    const uri = await write('manifest.json', 'before');
    await server.client.sendRequest(PullModel, { name: 'before' });
    expect(await rename(uri, 'Before')).not.toBeNull();
  });

  it.each([
    ['after', /There is a model named After already\. Choose another/],
    ['a b', /may hold only letters/],
    ['', /is empty/]
  ])('is not changed into “%s”', async (name, reason) => {
    const uri = await write('manifest.json', 'before');
    await write('other.manifest.json', 'After');
    await expect(rename(uri, name)).rejects.toThrow(reason);
  });
});
