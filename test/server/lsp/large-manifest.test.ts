import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  HoverRequest,
  PublishDiagnosticsNotification,
  type PublishDiagnosticsParams
} from 'vscode-languageserver/node';
import { type TestConnection, testConnection } from '../../support/test-connection';

const uri = 'file:///w/manifest.json';

const files = Array.from({ length: 10_000 }, (_, index) => ({
  role: 'lora',
  url: `https://example.com/${index}.gguf`,
  filename: `${index}.gguf`,
  sha256: createHash('sha256').update(String(index)).digest('hex')
}));

/** The most files that a manifest may list; the last line but two is wrong. */
const TEXT = JSON.stringify({ name: 'large', files, task: 'draw' }, null, 2);
const WRONG_LINE = TEXT.split('\n').length - 2;

let server: TestConnection;

beforeEach(async () => {
  server = await testConnection();
});

async function open(): Promise<void> {
  const textDocument = { uri, languageId: 'json', version: 1, text: TEXT };
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
}

/** Puts an empty line in front of everything. */
async function insertLine(version: number): Promise<void> {
  const start = { line: 0, character: 0 };
  await server.client.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version },
    contentChanges: [{ range: { start, end: start }, text: '\n' }]
  });
}

describe('while a large manifest is examined', () => {
  it('other questions are answered', async () => {
    await server.start();
    const answered: string[] = [];
    const published = new Promise<void>((resolve) => {
      server.client.onNotification(PublishDiagnosticsNotification.type, () => {
        answered.push('findings');
        resolve();
      });
    });
    await open();
    const position = { line: 1, character: 4 };
    await server.client.sendRequest(HoverRequest.type, { textDocument: { uri }, position });
    answered.push('hover');
    await published;
    expect(answered).toEqual(['hover', 'findings']);
  });

  it('edits end what is not wanted any more, and the newest text gets its findings', async () => {
    await server.start();
    const told: PublishDiagnosticsParams[] = [];
    const published = new Promise<void>((resolve) => {
      server.client.onNotification(PublishDiagnosticsNotification.type, (params) => {
        told.push(params);
        if (params.version === 4) resolve();
      });
    });
    await open();
    for (const version of [2, 3, 4]) await insertLine(version);
    await published;
    expect(told.map(({ version }) => version)).toEqual([4]);
    expect(told[0]?.diagnostics).toMatchObject([{ range: { start: { line: WRONG_LINE + 3 } } }]);
  });

  it('an editor that asked before an edit gets the findings in the text as it is now', async () => {
    await server.start({}, { textDocument: { diagnostic: {} } });
    await open();
    const answer = server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
    await insertLine(2);
    expect(await answer).toMatchObject({ items: [{ range: { start: { line: WRONG_LINE + 1 } } }] });
  });
});
