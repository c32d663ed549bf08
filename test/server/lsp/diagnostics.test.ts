import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type Diagnostic,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  type InitializeParams,
  PublishDiagnosticsNotification
} from 'vscode-languageserver/node';
import { ManifestsInView, SeveritiesChanged } from '../../../shared/protocol';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const ASKS: InitializeParams['capabilities'] = { textDocument: { diagnostic: {} } };
const SHA = '0123456789abcdef'.repeat(4);

function manifest(sha256: string): string {
  return JSON.stringify(
    { name: 'm', files: [{ role: 'model', url: 'https://example.com/a.gguf', filename: 'a.gguf', sha256 }] },
    null,
    2
  );
}

async function open({ client }: TestConnection, uri: string, text: string): Promise<void> {
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
}

async function ask({ client }: TestConnection, uri: string): Promise<readonly Diagnostic[]> {
  const report = await client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
  return report.kind === 'full' ? report.items : [];
}

function named(name: string, sha256: string): string {
  return manifest(sha256).replace('"m"', JSON.stringify(name));
}

/** Opens both of two manifests in one workspace and gives the codes of each. */
async function findingsOf(texts: readonly [string, string]) {
  const server = await testConnection();
  await server.start({}, ASKS);
  const folder = await temporaryFolder();
  const uris: string[] = [];
  for (const [index, text] of texts.entries()) {
    const path = join(folder, `${index}.manifest.json`);
    await writeFile(path, text);
    uris.push(pathToFileURL(path).href);
    await open(server, uris.at(-1) ?? '', text);
  }
  await server.client.sendNotification(ManifestsInView, { uris });
  const findings = await Promise.all(uris.map((uri) => ask(server, uri)));
  return { uris, findings, codes: findings.map((rows) => rows.map(({ code }) => code)) };
}

describe('an editor that asks for diagnostics', () => {
  it('gets one finding with its exact range, code and documentation', async () => {
    const server = await testConnection();
    await server.start({}, ASKS);
    const text = manifest(SHA.slice(1));
    await open(server, 'file:///w/manifest.json', text);
    const findings = await ask(server, 'file:///w/manifest.json');
    expect(findings).toHaveLength(1);
    const [finding] = findings;
    const line = text.split('\n').findIndex((candidate) => candidate.includes('sha256'));
    const from = text.split('\n')[line]?.indexOf(`"${SHA.slice(1)}"`) ?? -1;
    expect(finding).toMatchObject({
      code: 'bad-digest',
      source: 'Diffusion Dock',
      codeDescription: { href: expect.stringMatching(/docs\/diagnostics\/bad-digest\.md$/) },
      range: { start: { line, character: from }, end: { line, character: from + 65 } }
    });
  });

  it('hears of nothing unasked', async () => {
    const server = await testConnection();
    await server.start({}, ASKS);
    const published: string[] = [];
    server.client.onNotification(PublishDiagnosticsNotification.type, ({ uri }) => void published.push(uri));
    await open(server, 'file:///w/manifest.json', manifest('nope'));
    await ask(server, 'file:///w/manifest.json');
    expect(published).toEqual([]);
  });

  it('follows the text as it is edited', async () => {
    const server = await testConnection();
    await server.start({}, ASKS);
    const uri = 'file:///w/manifest.json';
    await open(server, uri, manifest('nope'));
    expect(await ask(server, uri)).toHaveLength(1);
    await server.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version: 2 },
      contentChanges: [{ text: manifest(SHA) }]
    });
    expect(await ask(server, uri)).toEqual([]);
  });

  it('is told that nothing changed instead of being told everything again', async () => {
    const server = await testConnection();
    await server.start({}, ASKS);
    const textDocument = { uri: 'file:///w/manifest.json' };
    await open(server, textDocument.uri, manifest('nope'));
    const first = await server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument });
    const previousResultId = first.resultId ?? '';
    const second = await server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument, previousResultId });
    expect(second).toEqual({ kind: 'unchanged', resultId: previousResultId });
  });

  it('gets syntax errors only when it does not report them itself', async () => {
    const broken = manifest(SHA).slice(0, -3);
    const counts = await Promise.all(
      [false, true].map(async (hostReportsJsonSyntax) => {
        const server = await testConnection();
        await server.start({ hostReportsJsonSyntax }, ASKS);
        await open(server, 'file:///w/manifest.json', broken);
        return (await ask(server, 'file:///w/manifest.json')).map(({ code }) => code);
      })
    );
    expect(counts).toEqual([['syntax'], []]);
  });
});

describe('two manifests of one name', () => {
  it('are told apart on both when they describe different models, each with the way to the other', async () => {
    const { uris, findings, codes } = await findingsOf([named('tiny', SHA), named('Tiny', SHA.replace('0', 'f'))]);
    expect(codes).toEqual([['duplicate-name'], ['duplicate-name']]);
    const places = findings.flat().flatMap(({ relatedInformation = [] }) => relatedInformation);
    expect(places.map(({ location }) => location.uri)).toEqual(uris.toReversed());
  });

  it('are nothing to complain about when they say the same', async () => {
    const { codes } = await findingsOf([named('tiny', SHA), named('tiny', SHA)]);
    expect(codes).toEqual([[], []]);
  });
});

describe('a document that is no model manifest', () => {
  it.each([
    ['a web app', '{ "name": "App", "start_url": "/", "icons": [{ "src": "a.png" }] }'],
    ['a browser extension', '{ "manifest_version": 3, "name": "x", "version": "1" }'],
    ['an asset list', '{ "files": { "main.js": "/static/main.123.js" }, "entrypoints": ["main.js"] }'],
    ['an empty file', ''],
    ['a broken web app', '{ "name": "App", "start_url": ']
  ])('gets silence: %s', async (_, text) => {
    const server = await testConnection();
    await server.start({}, ASKS);
    await open(server, 'file:///w/manifest.json', text);
    expect(await ask(server, 'file:///w/manifest.json')).toEqual([]);
  });
});

describe('a document whose address names no path of this machine', () => {
  it.each(['file://nas/share/manifest.json', 'file:///a%2Fb/manifest.json', 'untitled:manifest.json'])(
    'is examined like any other: %s',
    async (uri) => {
      const server = await testConnection();
      await server.start();
      const published = new Promise<number>((done) => {
        server.client.onNotification(PublishDiagnosticsNotification.type, ({ diagnostics }) =>
          done(diagnostics.length)
        );
      });
      await open(server, uri, manifest('nope'));
      expect(await published).toBe(1);
    }
  );
});

describe('an editor that does not ask', () => {
  it('is sent the findings, and an empty list when the document closes', async () => {
    const server = await testConnection();
    await server.start();
    const uri = 'file:///w/manifest.json';
    const published: number[] = [];
    const heard = (count: number): Promise<void> =>
      new Promise((done) => {
        const check = (): void => void (published.length >= count && done());
        server.client.onNotification(PublishDiagnosticsNotification.type, ({ diagnostics }) => {
          published.push(diagnostics.length);
          check();
        });
        check();
      });
    const first = heard(1);
    await open(server, uri, manifest('nope'));
    await first;
    const second = heard(2);
    await server.client.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
    await second;
    expect(published).toEqual([1, 0]);
  });
});

describe('the severity of findings', () => {
  const BRANCH = manifest(SHA).replace('https://example.com/a.gguf', 'hf:o/r@main/a.gguf');

  it('is what the user wants it to be, and changes while the editor is open', async () => {
    const server = await testConnection();
    await server.start({ severities: { 'unpinned-revision': 'error', nonsense: 'error', syntax: 5 } }, ASKS);
    await open(server, 'file:///w/manifest.json', BRANCH);
    expect(await ask(server, 'file:///w/manifest.json')).toMatchObject([{ code: 'unpinned-revision', severity: 1 }]);
    await server.client.sendNotification(SeveritiesChanged, { 'unpinned-revision': 'off' });
    expect(await ask(server, 'file:///w/manifest.json')).toEqual([]);
  });

  it('is told anew to an editor that does not ask', async () => {
    const server = await testConnection();
    await server.start();
    const told: (readonly Diagnostic[])[] = [];
    let heard: (() => void) | undefined;
    server.client.onNotification(PublishDiagnosticsNotification.type, ({ diagnostics }) => {
      told.push(diagnostics);
      heard?.();
    });
    const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
    const first = next();
    await open(server, 'file:///w/manifest.json', BRANCH);
    await first;
    const second = next();
    await server.client.sendNotification(SeveritiesChanged, { 'unpinned-revision': 'off' });
    await second;
    expect(told.map((diagnostics) => diagnostics.length)).toEqual([1, 0]);
  });
});
