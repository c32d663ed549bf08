import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  type ProtocolConnection,
  type TextDocumentContentChangeEvent
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { testConnection } from '../../support/test-connection';

const MANIFEST = `{
  "name": "tiny 😀",
  "licence": "MIT",
  "files": [
    { "role": "vea", "url": "hf:o/r@main/a.gguf", "filename": "../a.gguf", "size_bytes": 12 },
    { "role": "lora", "url": "http://example.com/𝔘.ckpt", "filename": "b.ckpt", "sha256": "12" }
  ],
  "defaults": { "width": 1 }
}
`;

const SCRAPS = [
  '',
  'x',
  '"',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  '\n',
  '\r\n',
  '\r',
  '😀',
  '\ud83d',
  '\ufeff',
  '\\',
  '7',
  ' ',
  '"role": "vae", ',
  '/*',
  '*/'
];

interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly text: string;
}

const anyEdit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  removed: fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 60 })),
  text: fc.oneof(
    fc.constantFrom(...SCRAPS),
    fc.nat({ max: MANIFEST.length - 40 }).map((at) => MANIFEST.slice(at, at + 40))
  )
});

/** What one notification carries; now and then an editor sends the whole text. */
const anyNotification = fc.oneof(
  { weight: 9, arbitrary: fc.array(anyEdit, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(MANIFEST, MANIFEST.replaceAll('\n', '\r\n'), '') }
);

/** Applies a notification to the editor's own text. @returns what it tells the server */
function changesOf(document: TextDocument, notification: readonly Edit[] | string): TextDocumentContentChangeEvent[] {
  const edits = typeof notification === 'string' ? [{ text: notification }] : notification;
  return edits.map((edit) => {
    const change = 'at' in edit ? { text: edit.text, range: rangeOf(document, edit) } : edit;
    TextDocument.update(document, [change], document.version + 1);
    return change;
  });
}

function rangeOf(document: TextDocument, { at, removed }: Edit) {
  const start = at % (document.getText().length + 1);
  return { start: document.positionAt(start), end: document.positionAt(start + removed) };
}

async function open(client: ProtocolConnection, uri: string, text: string): Promise<void> {
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
}

async function findingsIn(client: ProtocolConnection, uri: string): Promise<unknown> {
  const report = await client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
  return report.kind === 'full' ? JSON.parse(JSON.stringify(report.items).replaceAll(uri, 'this')) : undefined;
}

it('finds after any edits what it finds in the same text freshly opened', { timeout: 300_000 }, async () => {
  const server = await testConnection();
  await server.start({}, { textDocument: { diagnostic: {} } });
  const { client } = server;
  let runs = 0;
  const property = fc.asyncProperty(
    fc.array(anyNotification, { minLength: 1, maxLength: 12 }),
    async (notifications) => {
      runs += 1;
      // Such names are sent only where the settings include them: they are manifests whatever state they are in.
      const [edited, fresh] = [`file:///w/${runs}-edited.json`, `file:///w/${runs}-fresh.json`];
      const document = TextDocument.create(edited, 'json', 1, MANIFEST);
      await open(client, edited, MANIFEST);
      for (const [index, notification] of notifications.entries()) {
        const contentChanges = changesOf(document, notification);
        const textDocument = { uri: edited, version: document.version };
        await client.sendNotification(DidChangeTextDocumentNotification.type, { textDocument, contentChanges });
        if (index % 3 === 0) await findingsIn(client, edited);
      }
      await open(client, fresh, document.getText());
      expect(await findingsIn(client, edited)).toEqual(await findingsIn(client, fresh));
      for (const uri of [edited, fresh]) {
        await client.sendNotification(DidCloseTextDocumentNotification.type, { textDocument: { uri } });
      }
    }
  );
  await fc.assert(property, { numRuns: 150, seed: 20_263 });
});
