import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { startMovingHub } from '../../support/hub/moving-hub';
import { runCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const LARGE = sampleBytes(5000);
const COMMIT = 'a1'.repeat(20);

let folder: string;
let home: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  home = await temporaryFolder();
});

async function write(files: readonly object[], name = 'manifest.json'): Promise<void> {
  const entries = files.map((file, index) => ({ role: 'lora', filename: `${index}.gguf`, ...file }));
  await writeFile(join(folder, name), JSON.stringify({ name: 'm', files: entries }, null, 2));
}

/** Answers for the repository `owner/other` alone, that it is out of order. */
function refused({ url }: IncomingMessage, response: ServerResponse): boolean {
  const isOther = url?.includes('owner/other') ?? false;
  if (isOther) response.writeHead(500).end();
  return isOther;
}

function run(words: readonly string[], environment = {}) {
  return runCli(words, { home, folder, environment });
}

async function codes(words: readonly string[], environment = {}): Promise<string[]> {
  const { out, err } = await run(['validate', ...words, '--json'], environment);
  expect(err).toBe('');
  const [report] = JSON.parse(out);
  const found: { code: string; line: number; severity: string }[] = report.findings;
  return found.filter(({ severity }) => severity === 'error').map(({ code, line }) => `${line}: ${code}`);
}

describe('validate --online', () => {
  it('finds nothing wrong where the hub agrees', async () => {
    const hub = await startMovingHub({ 'large.gguf': LARGE });
    const commit = hub.publish({ 'large.gguf': LARGE });
    await write([{ url: `hf:owner/repo@${commit}/large.gguf`, sha256: sha256(LARGE), size_bytes: LARGE.length }]);
    expect(await codes(['--online'], { HF_ENDPOINT: hub.origin })).toEqual([]);
    expect(hub.requests).toHaveLength(1);
  });

  it('finds revisions and files that are not there, and other digests and sizes, each in its place', async () => {
    const hub = await startMovingHub({ 'large.gguf': LARGE });
    await write([
      { url: `hf:owner/repo@${COMMIT}/large.gguf` },
      { url: 'hf:owner/repo/Large.gguf' },
      { url: 'hf:owner/repo/large.gguf', sha256: sha256(Buffer.from('x')), size_bytes: 7 },
      { url: 'https://example.com/large.gguf', sha256: sha256(Buffer.from('y')) }
    ]);
    expect(await codes([], { HF_ENDPOINT: hub.origin })).toEqual([]);
    expect(hub.requests).toEqual([]);
    expect(await codes(['--online'], { HF_ENDPOINT: hub.origin })).toEqual([
      '7: not-on-hub',
      '12: not-on-hub',
      '18: hub-differs',
      '19: hub-differs'
    ]);
  });

  it('asks once for each revision and credential, however many manifests name them', async () => {
    const hub = await startMovingHub({ 'large.gguf': LARGE });
    for (let index = 0; index < 10; index += 1) {
      await write([{ url: 'hf:owner/repo/large.gguf', size_bytes: index }], `${index}.manifest.json`);
    }
    const { out } = await run(['validate', '--online', '--json'], { HF_ENDPOINT: hub.origin });
    const found: { findings: { code: string }[] }[] = JSON.parse(out);
    expect(found.filter(({ findings }) => findings.some(({ code }) => code === 'hub-differs'))).toHaveLength(10);
    expect(hub.requests).toHaveLength(1);
  });

  it('tells everything else when the hub cannot be asked about a file, and fails', async () => {
    const hub = await startMovingHub({ 'large.gguf': LARGE }, { before: refused });
    const environment = { HF_ENDPOINT: hub.origin };
    await write([{ url: 'hf:owner/other/large.gguf', size_bytes: -1 }], 'a.manifest.json');
    await write([{ url: 'hf:owner/other/large.gguf' }], 'b.manifest.json');
    await write([{ url: 'hf:owner/repo/Large.gguf' }], 'c.manifest.json');
    const { status, out, err } = await run(['validate', '--online'], environment);
    expect(status).toBe(1);
    expect(out).toMatch(/^a\.manifest\.json:.*schema/m);
    expect(out).toMatch(/^c\.manifest\.json:.*not-on-hub/m);
    expect(err).toMatch(/a\.manifest\.json was not compared with the hub\./);
    expect(err).toMatch(/b\.manifest\.json was not compared with the hub\./);
    expect(hub.requests).toHaveLength(2);
    const told: { file: string; error?: object }[] = JSON.parse(
      (await run(['validate', '--online', '--json'], environment)).out
    );
    expect(told.flatMap(({ file, error }) => (error ? [file] : []))).toEqual(['a.manifest.json', 'b.manifest.json']);
  });

  it('fails when all that is wrong is that nobody answers', async () => {
    await write([{ url: 'https://huggingface.co/owner/repo/resolve/main/a.gguf', sha256: sha256(LARGE) }]);
    const { status, err } = await run(['validate', '--online'], { HF_ENDPOINT: 'http://127.0.0.1:9' });
    expect(status).toBe(1);
    expect(err).toContain('127.0.0.1:9');
  });
});

describe('validate --disk', () => {
  beforeEach(async () => {
    await writeFile(join(folder, 'weights.gguf'), LARGE);
    await write([{ url: 'weights.gguf', sha256: sha256(LARGE) }]);
  });

  it('says nothing while the model is not installed, or is what the manifest says', async () => {
    expect(await codes(['--disk'])).toEqual([]);
    expect((await run(['pull', 'manifest.json'])).status).toBe(0);
    expect(await codes(['--disk'])).toEqual([]);
  });

  it('finds what the manifest says and the installed model does not have', async () => {
    expect((await run(['pull', 'manifest.json'])).status).toBe(0);
    await write([{ url: 'weights.gguf', sha256: sha256(Buffer.from('x')) }, { url: 'weights.gguf' }]);
    expect(await codes(['--disk'])).toEqual(['8: digest-differs', '12: missing-file']);
  });

  it('finds what became of the files of an installed model', async () => {
    expect((await run(['pull', 'manifest.json'])).status).toBe(0);
    const installed = join(home, 'models', 'm');
    await chmod(join(installed, '0.gguf'), 0o644);
    await writeFile(join(installed, '0.gguf'), 'cut');
    const manifest = join(installed, 'manifest.json');
    expect(JSON.parse(await readFile(manifest, 'utf8')).files).toHaveLength(1);
    expect(await codes([manifest, '--disk'])).toEqual([expect.stringMatching(/: size-differs$/)]);
    await rm(join(installed, '0.gguf'));
    expect(await codes([manifest, '--disk'])).toEqual([expect.stringMatching(/: missing-file$/)]);
    expect(await codes(['--disk'])).toEqual(['6: missing-file']);
  });
});
