import { describe, expect, it } from 'vitest';
import {
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  DocumentFormattingRequest,
  DocumentLinkRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  type Position,
  type ProtocolConnection
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { HOSTILE_TEXTS } from '../../support/hostile-texts';
import { testConnection } from '../../support/test-connection';

const RIGHT = '{ "name": "m", "files": [{ "role": "model", "url": "a.gguf", "filename": "a.gguf" }] }';

/** An editor with one manifest, which was right before it became what it is. */
class Editor {
  version = 1;
  text = RIGHT;

  constructor(
    readonly client: ProtocolConnection,
    readonly uri: string
  ) {}

  get document(): TextDocument {
    return TextDocument.create(this.uri, 'json', this.version, this.text);
  }

  async open(): Promise<void> {
    const textDocument = { uri: this.uri, languageId: 'json', version: 1, text: this.text };
    await this.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  }

  async replace(start: number, end: number, text: string): Promise<void> {
    const { document } = this;
    const range = { start: document.positionAt(start), end: document.positionAt(end) };
    this.version += 1;
    this.text = TextDocument.applyEdits(document, [{ range, newText: text }]);
    await this.client.sendNotification(DidChangeTextDocumentNotification.type, {
      textDocument: { uri: this.uri, version: this.version },
      contentChanges: [{ range, text }]
    });
  }

  async close(): Promise<void> {
    await this.client.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri: this.uri } });
  }

  /** Asks everything that editors ask, at the beginning, in the middle and at the end. */
  async askEverything(): Promise<unknown[]> {
    const { client, document } = this;
    const textDocument = { uri: this.uri };
    const end = document.positionAt(this.text.length);
    const range = { start: { line: 0, character: 0 }, end };
    const options = { tabSize: 2, insertSpaces: true };
    const positions = [0, 0.3, 0.5, 0.8, 1].map((share) => document.positionAt(Math.floor(this.text.length * share)));
    return Promise.all([
      ...positions.flatMap((position) => [
        client.sendRequest(CompletionRequest.type, { textDocument, position }),
        client.sendRequest(HoverRequest.type, { textDocument, position })
      ]),
      client.sendRequest(DefinitionRequest.type, { textDocument, position: end }),
      client.sendRequest(CodeActionRequest.type, { textDocument, range, context: { diagnostics: [] } }),
      client.sendRequest(DocumentFormattingRequest.type, { textDocument, options }),
      client.sendRequest(DocumentRangeFormattingRequest.type, { textDocument, range, options }),
      client.sendRequest(DocumentSymbolRequest.type, { textDocument }),
      client.sendRequest(FoldingRangeRequest.type, { textDocument }),
      client.sendRequest(DocumentLinkRequest.type, { textDocument }),
      client.sendRequest(CodeLensRequest.type, { textDocument }),
      client.sendRequest(InlayHintRequest.type, { textDocument, range })
    ]);
  }

  async findings() {
    const report = await this.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri: this.uri } });
    return report.kind === 'full' ? report.items : [];
  }
}

function isPosition(value: object): value is Position {
  return 'line' in value && 'character' in value;
}

/** The positions in an answer that are not in the document. */
function positionsOutside(answer: unknown, document: TextDocument): Position[] {
  if (typeof answer !== 'object' || answer === null) return [];
  if (!isPosition(answer)) return Object.values(answer).flatMap((inner) => positionsOutside(inner, document));
  const { line, character } = document.positionAt(document.offsetAt(answer));
  return line === answer.line && character === answer.character ? [] : [answer];
}

function valueOf(text: string): unknown {
  return JSON.parse(text.replace(/^\ufeff/, ''));
}

function isJson(text: string): boolean {
  try {
    valueOf(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a text is formatted at all; then its value has to stay what it was. */
async function isFormattedSoundly(editor: Editor, name: string): Promise<boolean> {
  const edits = await editor.client.sendRequest(DocumentFormattingRequest.type, {
    textDocument: { uri: editor.uri },
    options: { tabSize: 2, insertSpaces: true }
  });
  if (!edits?.length) return false;
  const after = TextDocument.applyEdits(editor.document, edits);
  expect(valueOf(after), name).toEqual(valueOf(editor.text));
  return true;
}

describe('a manifest that turns into something hostile', () => {
  it('is one of several hundred', () => {
    expect(new Set(HOSTILE_TEXTS.map(({ text }) => text)).size).toBeGreaterThan(300);
  });

  it('ends no request without an answer, is told to be wrong, gets no range that it does not have, and keeps its value when it is formatted', {
    timeout: 300_000
  }, async () => {
    const server = await testConnection();
    await server.start({}, { textDocument: { diagnostic: {} } });
    const { client } = server;
    const silent: string[] = [];
    let formatted = 0;
    for (const [index, { name, text }] of HOSTILE_TEXTS.entries()) {
      const editor = new Editor(client, `file:///w/${index}/manifest.json`);
      await editor.open();
      await editor.findings();
      await editor.replace(0, editor.text.length, text);
      expect(editor.text, name).toBe(text);
      const findings = await editor.findings();
      if (!isJson(text) && findings.length === 0) silent.push(name);
      expect(positionsOutside(findings, editor.document), name).toEqual([]);
      expect(positionsOutside(await editor.askEverything(), editor.document), name).toEqual([]);
      formatted += (await isFormattedSoundly(editor, name)) ? 1 : 0;
      // Somebody types in the middle of it, and takes it back.
      const middle = Math.floor(text.length / 2);
      await editor.replace(middle, middle, '"');
      expect(positionsOutside(await editor.findings(), editor.document), name).toEqual([]);
      await editor.close();
    }
    expect(silent).toEqual([]);
    expect(formatted).toBeGreaterThan(10);
  });
});
