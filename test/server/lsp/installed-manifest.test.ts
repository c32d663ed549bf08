import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type Diagnostic,
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  type InitializeParams
} from 'vscode-languageserver/node';
import { Proofs } from '../../../server/store/proofs';
import { ManifestsInView } from '../../../shared/protocol';
import { digestOf } from '../../support/sample-bundle';
import { sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const ASKS: InitializeParams['capabilities'] = { textDocument: { diagnostic: {} } };

async function open({ client }: TestConnection, uri: string, text: string): Promise<void> {
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
}

async function ask({ client }: TestConnection, uri: string): Promise<readonly Diagnostic[]> {
  const report = await client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
  return report.kind === 'full' ? report.items : [];
}

/** The text of an installed manifest. */
function installedText(files: readonly { readonly size_bytes: number }[]): string {
  const facts = { name: 'm', source: '', revision: '', task: '', engine: '', dimensions: 0, installed_at_unix_ms: 1 };
  const total_size_bytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  return JSON.stringify({ ...facts, total_size_bytes, files }, null, 2);
}

const entry = (path: string, bytes: Buffer) => ({ path, sha256: sha256(bytes), size_bytes: bytes.length });

/** Has a server look at a bundle with these files and this manifest. */
async function codesIn(files: Readonly<Record<string, Buffer>>, listed: Parameters<typeof installedText>[0]) {
  const server = await testConnection();
  const folder = join(server.root, 'models', 'm');
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const path = join(folder, 'manifest.json');
  await writeFile(path, installedText(listed));
  await server.start({}, ASKS);
  const uri = pathToFileURL(path).href;
  await open(server, uri, installedText(listed));
  const found = await ask(server, uri);
  const lines = installedText(listed).split('\n');
  return found.map(({ code, range }) => `${code}: ${lines[range.start.line]?.trim()}`);
}

describe('the manifest of an installed model', () => {
  const sound = Buffer.from('sound');

  it('gets nothing when its files are there', async () => {
    expect(await codesIn({ a: sound }, [entry('a', sound)])).toEqual([]);
  });

  it('gets a row at each file that is missing or has another size, and one for what it does not list', async () => {
    const listed = [entry('a', sound), entry('b', sound), entry('c', sound)];
    expect(await codesIn({ a: sound, c: Buffer.from('cut'), x: sound, y: sound }, listed)).toEqual([
      'extra-file: "files": [',
      'missing-file: "path": "b",',
      'size-differs: "size_bytes": 5'
    ]);
  });

  it('gets a row at the digest of a file that was read and found damaged', async () => {
    const server = await testConnection();
    await server.start({}, ASKS);
    const folder = join(server.root, 'models', 'm');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'a'), 'DAMAG');
    const proofs = new Proofs(join(server.root, 'proofs'));
    const digest = digestOf(Buffer.from('DAMAG'));
    await proofs.remember(join(folder, 'a'), await lstat(join(folder, 'a'), { bigint: true }), { digest, readAt: 1 });
    const uri = pathToFileURL(join(folder, 'manifest.json')).href;
    await open(server, uri, installedText([entry('a', sound)]));
    expect(await ask(server, uri)).toMatchObject([
      { code: 'digest-differs', message: expect.stringContaining(digest) }
    ]);
  });

  it('gets a row at its name when the manifest that it is pulled from asks for something else by now', async () => {
    const server = await testConnection();
    const folder = join(server.root, 'models', 'm');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'a'), sound);
    const text = installedText([entry('a', sound)]);
    await writeFile(join(folder, 'manifest.json'), text);
    const uri = pathToFileURL(join(folder, 'manifest.json')).href;
    const source = join(await temporaryFolder(), 'manifest.json');
    const findingsWith = async (files: readonly string[]) => {
      const entries = files.map((filename) => ({
        role: filename === 'a' ? 'model' : 'vae',
        url: `https://example.com/${filename}`,
        filename
      }));
      await writeFile(source, JSON.stringify({ name: 'm', files: entries }));
      await server.client.sendNotification(ManifestsInView, { uris: [pathToFileURL(source).href] });
      return ask(server, uri);
    };
    await server.start({}, ASKS);
    await open(server, uri, text);
    expect(await findingsWith(['a'])).toEqual([]);
    expect(await findingsWith(['a', 'b'])).toMatchObject([
      {
        code: 'outdated',
        message: expect.stringMatching(/has changed.*also lists b; pull the model again/),
        relatedInformation: [{ location: { uri: pathToFileURL(source).href } }]
      }
    ]);
  });
});
