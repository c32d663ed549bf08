import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { WorkDoneProgress } from 'vscode-languageserver/node';
import { MakeManifest } from '../../../shared/protocol';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testConnection } from '../../support/test-connection';

const BYTES = sampleBytes(5000);

it('makes a manifest of a folder for an editor, and tells how far it is', async () => {
  const server = await testConnection();
  await server.start();
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'vae.safetensors'), BYTES);
  const told: unknown[] = [];
  server.client.onProgress(WorkDoneProgress.type, 'making', (event) => void told.push(event));
  const from = { kind: 'folder', uri: pathToFileURL(folder).href } as const;
  const { text } = await server.client.sendRequest(MakeManifest, { from, workDoneToken: 'making' });
  expect(JSON.parse(text).files).toMatchObject([{ role: 'vae', url: 'vae.safetensors', sha256: sha256(BYTES) }]);
  expect(told.at(-1)).toEqual({ kind: 'report', percentage: 100, message: 'vae.safetensors' });
});

it('makes none in an untrusted workspace', async () => {
  const server = await testConnection();
  await server.start({ trusted: false });
  const from = { kind: 'hub', reference: 'owner/repo' } as const;
  await expect(server.client.sendRequest(MakeManifest, { from })).rejects.toThrow(/untrusted workspace/);
});
