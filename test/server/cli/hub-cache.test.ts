import { unlink, utimes, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { BuiltCache } from '../../support/hub/built-cache';
import { startFakeHub } from '../../support/hub/fake-hub';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { type CliResult, runCli } from '../../support/run-cli';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const COMMIT = commitOf('first');
const weights: HubContent = { bytes: sampleBytes(5000), isLarge: true };

let cache: BuiltCache;
beforeEach(async () => {
  cache = await BuiltCache.create();
});

async function run(words: readonly string[], environment: Record<string, string> = {}): Promise<CliResult> {
  return runCli(words, {
    home: await temporaryFolder(),
    environment: { HF_HUB_CACHE: cache.root, ...environment }
  });
}

describe('list --huggingface', () => {
  it('names repositories with revisions, sizes and what is left over', async () => {
    const { blob } = await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    await cache.ref('models--owner--repo', 'main', COMMIT);
    await writeFile(`${blob}.0a1b2c3d.incomplete`, 'abc');
    const { status, out } = await run(['list', '--huggingface']);
    expect(status).toBe(0);
    expect(out).toMatch(/^hf:owner\/repo +5\.0 kB {2}1 revision, used (?:just now|\d+ s ago)\n/);
    expect(out).toContain(`  ${COMMIT.slice(0, 12)}    5.0 kB  main, 1 file\n`);
    expect(out).toContain('  3 B of unfinished downloads\n');
  });

  it('says where it looked when there is no cache', async () => {
    const { status, out, err } = await run(['list', '--huggingface']);
    expect({ status, out }).toEqual({ status: 0, out: '' });
    expect(err).toContain(cache.root);
  });

  it('is one JSON document', async () => {
    await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    const { out } = await run(['list', '--huggingface', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      exists: true,
      bytes: 5000,
      repositories: [{ reference: 'hf:owner/repo' }]
    });
  });
});

describe('verify --huggingface', () => {
  it('ends with status 0 while nothing is corrupt, else with 1 and a reason', async () => {
    const { blob } = await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    expect(await run(['verify', '--huggingface'])).toMatchObject({
      status: 0,
      out: `hf:owner/repo: nothing corrupt, 5.0 kB read\n  verified      ${COMMIT.slice(0, 7)}  weights\n`
    });
    await writeFile(blob, sampleBytes(5000, 2));
    const { status, out } = await run(['verify', '--huggingface', 'hf:owner/repo']);
    expect(status).toBe(1);
    expect(out).toMatch(/corrupt {7}[0-9a-f]{7} {2}weights {2}Its SHA-256 is/);
  });

  it('is one JSON document with a report for each repository', async () => {
    await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    const { out } = await run(['verify', '--huggingface', '--json']);
    expect(JSON.parse(out)).toMatchObject([{ reference: 'hf:owner/repo', healthy: true, bytes: 5000 }]);
  });

  it('tells the usage when a name is none of the hub’s', async () => {
    const { status, err } = await run(['verify', '--huggingface', 'owner/repo']);
    // There is no cache at all, which is what comes first.
    expect({ status, err }).toEqual({ status: 1, err: expect.stringContaining('HF_HUB_CACHE') });
    await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    expect(await run(['verify', '--huggingface', 'owner/repo'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('hf:owner/repo@revision')
    });
  });
});

describe('heal --huggingface', () => {
  it('brings back what is corrupt and says so', async () => {
    const { blob } = await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    await writeFile(blob, sampleBytes(5000, 2));
    const hub = await startFakeHub({
      'owner/repo': [{ commit: COMMIT, branches: [], files: { weights } }]
    });
    const healed = await run(['heal', '--huggingface'], { HF_ENDPOINT: hub.origin });
    expect(healed).toMatchObject({
      status: 0,
      out: `hf:owner/repo: 1 file corrupt, 5.0 kB transferred\n  healed        ${COMMIT.slice(0, 7)}  weights\n`
    });
    expect(await run(['verify', '--huggingface'])).toMatchObject({ status: 0 });
    const again = await run(['heal', '--huggingface', 'hf:owner/repo', '--json'], { HF_ENDPOINT: hub.origin });
    expect(JSON.parse(again.out)).toMatchObject([{ healthy: true, files: [], transferredBytes: 0 }]);
  });

  it('ends with status 1 and a reason when it cannot be brought', async () => {
    const { blob } = await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    await writeFile(blob, '');
    const hub = await startFakeHub({});
    const { status, out } = await run(['heal', '--huggingface'], { HF_ENDPOINT: hub.origin });
    expect(status).toBe(1);
    expect(out).toMatch(/failed {8}[0-9a-f]{7} {2}weights {2}127\.0\.0\.1/);
  });
});

describe('drop --huggingface', () => {
  it('says what would be freed, then frees it', async () => {
    await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    const drop = ['drop', '--huggingface', 'hf:owner/repo'];
    expect(await run([...drop, '--dry-run'])).toMatchObject({
      status: 0,
      out: 'hf:owner/repo: 5.0 kB would be freed\n'
    });
    expect(await run(drop)).toMatchObject({ status: 0, out: 'hf:owner/repo: 5.0 kB freed\n' });
    expect(JSON.parse((await run(['list', '--huggingface', '--json'])).out)).toMatchObject({
      repositories: [],
      bytes: 0
    });
  });

  it('frees what no revision uses', async () => {
    const { pointer, blob } = await cache.put('models--owner--repo', COMMIT, 'weights', weights);
    await unlink(pointer);
    await utimes(blob, new Date(0), new Date(0));
    const { out } = await run(['drop', '--huggingface', '--unused', '--json']);
    expect(JSON.parse(out)).toEqual([
      { reference: '', deleted: true, freedBytes: 5000, keptBytes: 0, arrivingBytes: 0 }
    ]);
  });

  it('wants a name', async () => {
    expect(await run(['drop', '--huggingface'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('hf:owner/repo')
    });
  });
});
