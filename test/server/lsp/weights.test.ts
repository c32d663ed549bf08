import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import {
  CodeActionRequest,
  type Diagnostic,
  DidOpenTextDocumentNotification,
  HoverRequest,
  PublishDiagnosticsNotification
} from 'vscode-languageserver/node';
import { ManifestsInView } from '../../../shared/protocol';
import { sha256 } from '../../support/sample-bytes';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { testConnection } from '../../support/test-connection';

/** A bundle of one file as a pull leaves it. */
async function install(root: string, role: string, path: string, bytes: Buffer): Promise<void> {
  const folder = join(root, 'models', 'm');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, path), bytes);
  const files = [{ path, sha256: sha256(bytes), size_bytes: bytes.length, role }];
  const facts = { name: 'm', source: '', revision: '', task: '', engine: '', dimensions: 0, installed_at_unix_ms: 1 };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...facts, total_size_bytes: bytes.length, files }));
}

/** A manifest that says another role than the header of the file that is installed, and what the editor is told of it. */
async function contradiction() {
  const models = await temporaryFolder();
  createModelFolder(models);
  const server = await testConnection();
  const bytes = await readFile(join(models, 'taesd.safetensors'));
  await install(server.root, 'vae', 'decoder.safetensors', bytes);
  const file = { role: 'vae', url: 'https://example.com/v', filename: 'decoder.safetensors', sha256: sha256(bytes) };
  const text = JSON.stringify({ name: 'm', files: [file] }, null, 2);
  const folder = await temporaryFolder();
  const uri = pathToFileURL(join(folder, 'manifest.json')).href;
  await writeFile(join(folder, 'manifest.json'), text);
  const told: Diagnostic[][] = [];
  const contradicted = new Promise<Diagnostic>((resolve) => {
    server.client.onNotification(PublishDiagnosticsNotification.type, ({ diagnostics }) => {
      told.push(diagnostics);
      const row = diagnostics.find(({ code }) => code === 'wrong-role');
      if (row) resolve(row);
    });
  });
  return { server, folder, uri, text, told, contradicted };
}

it('an editor is told so of a manifest that is not open, too', async () => {
  const { server, folder, contradicted } = await contradiction();
  await server.start({}, {}, folder);
  expect((await contradicted).range.start.line).toBe(4);
});

it('an editor is told that a role contradicts the installed file, without waiting for it, and what the file is', async () => {
  const { server, uri, text, told, contradicted } = await contradiction();
  await server.start();
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });

  const row = await contradicted;
  expect(text.split('\n')[row.range.start.line]).toContain('"role": "vae"');
  expect(row).toMatchObject({
    message:
      'The installed file is a tiny autoencoder (TAESD), and no VAE; give it the role “taesd”, or list another file.',
    codeDescription: { href: expect.stringMatching(/wrong-role\.md$/) }
  });
  const actions = await server.client.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range: row.range,
    context: { diagnostics: [row] }
  });
  const fix = actions?.find(({ title }) => title === 'Write “taesd”');
  expect(fix).toMatchObject({ diagnostics: [row], edit: { changes: { [uri]: [{ newText: '"taesd"' }] } } });
  await server.client.sendNotification(ManifestsInView, { uris: [uri] });
  const line = text.split('\n').findIndex((candidate) => candidate.includes('filename'));
  const character = text.split('\n')[line]?.indexOf('decoder') ?? 0;
  const position = { line, character };
  const hover = await server.client.sendRequest(HoverRequest.type, { textDocument: { uri }, position });
  expect(JSON.stringify(hover?.contents)).toContain('2 million parameters in F8');
  // The first answer came before anything was read.
  expect(told[0]).toEqual([]);
});
