import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../server/operations/stores/open-store';
import type { BatchResult } from '../../../shared/batch';
import { batchFile, SMALL } from '../../support/batch/batch-bench';
import { never } from '../../support/batch/half-done';
import { engineScript } from '../../support/engine-script';
import { type CliResult, runCli, startCli } from '../../support/run-cli';
import { createBucket, RADOSGW, s3Server } from '../../support/s3/s3-server';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

let root: string;
let here: string;
let there: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  [here, there] = [join(root, 'here'), join(root, 'there')];
  expect((await runCli(['pull', await sampleManifest({}, root)], { home: here })).status).toBe(0);
  await cp(here, there, { recursive: true });
});

afterAll(() => rm(root, { recursive: true }));

async function bucketEnvironment(): Promise<Readonly<Record<string, string>>> {
  const { endpoint, accessKeyId, secretAccessKey } = await s3Server();
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey
  };
}

async function bytesOf({ status, out, err }: CliResult): Promise<string[]> {
  expect({ status, err }).toEqual({ status: 0, err: '' });
  const { images } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as BatchResult;
  return Promise.all(images.map(async ({ path }) => (await readFile(path)).toString('base64')));
}

const TWO = { models: ['tiny-sd1'], prompts: ['a cat'], seeds: [1, 2], options: SMALL };

describe.skipIf(!RADOSGW)('a batch whose checkpoint lies in a bucket', () => {
  it('is killed while it makes an image, goes on elsewhere with the same bytes, and leaves nothing in the bucket', async () => {
    const environment = await bucketEnvironment();
    const store = `s3://${await createBucket(await s3Server())}/team/jobs`;
    const file = await batchFile(TWO);
    const mark = join(await temporaryFolder(), 'mark');
    // The runner dies with its second image, once.
    const deadly = await engineScript({
      during: `const fs = require('node:fs');
        fs.appendFileSync(${JSON.stringify(mark)}, '.');
        if (fs.readFileSync(${JSON.stringify(mark)}).length === 2) process.kill(process.ppid, 'SIGKILL');`
    });
    const run = (home: string, ...words: readonly string[]) =>
      startCli(['batch', file, '--json', ...words], {
        home,
        environment: { ...environment, DIFFUSION_DOCK_SD_CLI: deadly }
      }).ended;
    expect((await run(here, '--store', store)).signal).toBe('SIGKILL');
    const made = await bytesOf(await run(there, '--store', store, '--resume'));
    expect(existsSync(mark) && (await readFile(mark, 'utf8'))).toBe('...');
    const services = await testServices({ environment });
    const left: string[] = [];
    for await (const { key } of (await openStore(services, store)).list(null, never)) left.push(key);
    expect(left).toEqual([]);
    expect(await bytesOf(await run(here))).toEqual(made);
  }, 120_000);
});
