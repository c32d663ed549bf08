import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-languageserver';
import type { BatchProgress } from '../../../shared/batch';
import { isFailureData } from '../../../shared/failure';
import { BatchesChanged, BatchProgressed, ListBatches, PullModel, RunBatch } from '../../../shared/protocol';
import { batchFile, SMALL } from '../../support/batch/batch-bench';
import { engineScript } from '../../support/engine-script';
import { sampleManifest } from '../../support/sample-services';
import { type TestConnection, testConnection } from '../../support/test-connection';

const THREE = { models: ['tiny-sd1'], prompts: ['a cat'], seeds: [1, 2, 3], options: SMALL };

/** An editor with the sample model in its workspace, and what it hears of batches. */
async function editor(
  trusted = true
): Promise<TestConnection & { readonly heard: BatchProgress[]; readonly changes: () => number }> {
  const connection = await testConnection();
  const heard: BatchProgress[] = [];
  let changes = 0;
  connection.client.onNotification(BatchProgressed, (progress) => void heard.push(progress));
  connection.client.onNotification(BatchesChanged, () => {
    changes += 1;
  });
  const manifest = await sampleManifest();
  await connection.start({ sdCliPath: await engineScript(), trusted }, {}, join(manifest, '..'));
  if (trusted) await connection.client.sendRequest(PullModel, { name: 'tiny-sd1' });
  return { ...connection, heard, changes: () => changes };
}

it('runs a batch for an editor, tells how far it is, stops when the request is cancelled, and goes on', async () => {
  const { client, heard, changes } = await editor();
  const file = await batchFile(THREE);
  const cancel = new CancellationTokenSource();
  client.onNotification(BatchProgressed, (progress) => {
    heard.push(progress);
    if (progress.item === 2) cancel.cancel();
  });
  const stopped = await client
    .sendRequest(RunBatch, { file, resume: false }, cancel.token)
    .catch((error: unknown) => error);
  expect(stopped).toMatchObject({ message: 'The batch job was stopped after 1 of 3 images.' });
  expect(await client.sendRequest(ListBatches)).toMatchObject([
    { job: 'job', file, state: 'stopped', items: 3, done: 1 }
  ]);
  expect(heard[0]).toMatchObject({ job: 'job', item: 1, items: 3, done: 0, failed: 0 });
  const [{ store } = { store: '' }] = await client.sendRequest(ListBatches);
  const result = await client.sendRequest(RunBatch, { file, store, resume: true });
  expect(result).toMatchObject({ items: 3, made: 2, reused: 1, failed: [] });
  expect(await client.sendRequest(ListBatches)).toMatchObject([{ state: 'done', done: 3 }]);
  expect(changes()).toBeGreaterThan(3);
}, 120_000);

it('runs no batch in an untrusted workspace', async () => {
  const { client } = await editor(false);
  const params = { file: await batchFile(THREE), resume: false };
  const failure = await client.sendRequest(RunBatch, params).catch((error: { data: unknown }) => error.data);
  expect(isFailureData(failure) && failure.code).toBe('untrusted-workspace');
});
