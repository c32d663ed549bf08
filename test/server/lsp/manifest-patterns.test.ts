import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  DidOpenTextDocumentNotification,
  DocumentDiagnosticRequest,
  HoverRequest,
  WorkspaceDiagnosticRequest
} from 'vscode-languageserver/node';
import { ExplainRecognition, ListModels, ManifestsInView } from '../../../shared/protocol';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';

const FILES = [{ role: 'model', url: 'https://example.com/a.gguf', filename: 'a.gguf', sha256: 'nope' }];
const TEXT = JSON.stringify({ name: 'm', files: FILES });

let server: TestConnection;
let folder: string;

beforeEach(async () => {
  server = await testConnection();
  folder = await temporaryFolder();
  const manifestPatterns = [
    {
      folder: pathToFileURL(folder).href,
      include: ['wanted/**'],
      exclude: ['vendor/**', '**/*.{old,bak}.manifest.json']
    }
  ];
  await server.start({ hostFindsManifests: true, manifestPatterns }, { textDocument: { diagnostic: {} } });
});

async function write(name: string, text = TEXT): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return pathToFileURL(path).href;
}

async function findingsIn(name: string, text = TEXT): Promise<number> {
  const uri = await write(name, text);
  const textDocument = { uri, languageId: 'json', version: 1, text };
  await server.client.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
  const report = await server.client.sendRequest(DocumentDiagnosticRequest.type, { textDocument: { uri } });
  return report.kind === 'full' ? report.items.length : Number.NaN;
}

function explained(name: string, text: string): Promise<string> {
  return server.client.sendRequest(ExplainRecognition, { uri: pathToFileURL(join(folder, name)).href, text });
}

describe('a document that the user excludes', () => {
  it.each(['vendor/manifest.json', 'vendor/deep/.er/x.manifest.json', 'a.old.manifest.json', 'b/c.bak.manifest.json'])(
    'gets silence: %s',
    async (name) => {
      expect(await findingsIn(name)).toBe(0);
      const textDocument = { uri: pathToFileURL(join(folder, name)).href };
      const position = { line: 0, character: 3 };
      expect(await server.client.sendRequest(HoverRequest.type, { textDocument, position })).toBeNull();
    }
  );

  it('is the only one that does', async () => {
    expect(await findingsIn('vendors/manifest.json')).toBe(1);
  });

  it('is no model, and none of the workspace’s findings', async () => {
    const uris = [
      await write('vendor/manifest.json'),
      await write('manifest.json', TEXT.replace('nope', 'f'.repeat(63)))
    ];
    await server.client.sendNotification(ManifestsInView, { uris });
    const { items } = await server.client.sendRequest(WorkspaceDiagnosticRequest.type, { previousResultIds: [] });
    expect(items.map(({ uri }) => uri)).toEqual([uris[1]]);
    // The other one has mistakes, and is listed with them.
    const models = await server.client.sendRequest(ListModels);
    expect(models).toMatchObject([{ manifestUri: uris[1], status: 'invalid' }]);
  });
});

it('examines what the user includes even when it looks like nothing of ours', async () => {
  expect(await findingsIn('wanted/manifest.json', '{ "name": "m" }')).toBeGreaterThan(0);
  expect(await findingsIn('unwanted/manifest.json', '{ "name": "m" }')).toBe(0);
});

describe('why a document is treated as it is', () => {
  it.each([
    ['manifest.json', TEXT, /a model manifest: the entries of its “files”/],
    ['manifest.json', '{ "$schema": "x/diffusion-dock.source.schema.json" }', /its “\$schema” says so/],
    ['vendor/manifest.json', TEXT, /not treated.*manifest\.exclude names it by “vendor\/\*\*”/],
    ['manifest.json', '{ "name": "App", "start_url": "/" }', /its field “start_url” belongs to/],
    [
      'manifest.json',
      '{ "$schema": "https://json.schemastore.org/x.json" }',
      /“\$schema” says that it is something else/
    ],
    ['manifest.json', '{ "name": "m" }', /no entry of “files”.*manifest\.include/],
    ['wanted/manifest.json', '{ "name": "m" }', /manifest\.include names it/]
  ])('is told: %s with %s', async (name, text, explanation) => {
    expect(await explained(name, text)).toMatch(explanation);
  });

  it('is told of one that was a manifest before somebody broke it', async () => {
    await findingsIn('manifest.json');
    expect(await explained('manifest.json', '{ "name": "m", "files": [')).toMatch(/it was one before it was edited/);
  });
});
