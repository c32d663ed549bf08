import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { hasInvisibleCharacter } from '../../../shared/file-name';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import { startMovingHub } from '../../support/hub/moving-hub';
import { runCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const MODEL = sampleBytes(5000);
const VAE = sampleBytes(3000, 2);

let home: string;
let folder: string;

beforeEach(async () => {
  home = await temporaryFolder();
  folder = join(await temporaryFolder(), 'My Model v1');
});

async function write(files: Readonly<Record<string, Buffer>>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

describe('manifest from a folder', () => {
  it('lists its weights with roles, digests and sizes, and what it prints is a manifest', async () => {
    await write({
      'unet/diffusion_pytorch_model.safetensors': MODEL,
      'vae/diffusion_pytorch_model.safetensors': VAE,
      'README.md': Buffer.from('hello'),
      'manifest.json': Buffer.from('{}')
    });
    const { status, out } = await runCli(['manifest', 'from', folder], { home });
    expect(status).toBe(0);
    expect(JSON.parse(out)).toEqual({
      name: 'My-Model-v1',
      engine: 'sd-cpp',
      files: [
        {
          role: 'diffusion_model',
          url: 'unet/diffusion_pytorch_model.safetensors',
          filename: 'unet-diffusion_pytorch_model.safetensors',
          sha256: sha256(MODEL),
          size_bytes: MODEL.length
        },
        {
          role: 'vae',
          url: 'vae/diffusion_pytorch_model.safetensors',
          filename: 'vae-diffusion_pytorch_model.safetensors',
          sha256: sha256(VAE),
          size_bytes: VAE.length
        }
      ]
    });
    const path = join(folder, 'manifest.json');
    await writeFile(path, out);
    expect((await runCli(['validate', path], { home })).status).toBe(0);
    expect((await runCli(['pull', path], { home })).status).toBe(0);
  });

  it('says which role is left to its author', async () => {
    await write({ 'one.gguf': MODEL, 'two.gguf': VAE });
    const { out, err } = await runCli(['manifest', 'from', folder], { home });
    const { files } = JSON.parse(out);
    expect(files[0]).toMatchObject({ role: 'model', filename: 'one.gguf' });
    expect(files[1]).not.toHaveProperty('role');
    expect(err).toContain('The role of two.gguf (3.0 kB) is not clear');
  });

  it('takes what is called weights, and only that', async () => {
    await write({ 'a.pickle': VAE, 'b.BIN': VAE, 'c.sft': VAE, 'd.safetensors.index.json': VAE, 'e.txt': VAE });
    const { out } = await runCli(['manifest', 'from', folder], { home });
    expect(JSON.parse(out).files).toMatchObject([
      { filename: 'a.pickle' },
      { filename: 'b.BIN' },
      { filename: 'c.sft' }
    ]);
  });

  it('refuses a folder without weights', async () => {
    await write({ 'README.md': Buffer.from('hello') });
    const { status, err } = await runCli(['manifest', 'from', folder], { home });
    expect(status).toBe(2);
    expect(err).toContain('no weights');
  });
});

describe('manifest from the hub', () => {
  const files = { 'q4/flux-q4.gguf': MODEL, 'ae.safetensors': VAE, 'config.json': Buffer.from('{}') };

  it.each(['owner/repo', 'hf:owner/repo@main', 'https://huggingface.co/owner/repo/tree/main'])(
    'pins the commit and takes what the hub declares, fetching nothing: %s',
    async (reference) => {
      const hub = await startMovingHub(files);
      const commit = hub.publish(files);
      const { status, out } = await runCli(['manifest', 'from', reference], {
        home,
        environment: { HF_ENDPOINT: hub.origin }
      });
      expect(status).toBe(0);
      expect(JSON.parse(out)).toEqual({
        name: 'repo',
        source: 'hf:owner/repo',
        revision: commit,
        engine: 'sd-cpp',
        files: [
          {
            role: 'vae',
            url: `hf:owner/repo@${commit}/ae.safetensors`,
            filename: 'ae.safetensors',
            sha256: sha256(VAE),
            size_bytes: VAE.length
          },
          {
            role: 'diffusion_model',
            url: `hf:owner/repo@${commit}/q4/flux-q4.gguf`,
            filename: 'flux-q4.gguf',
            sha256: sha256(MODEL),
            size_bytes: MODEL.length
          }
        ]
      });
      expect(hub.requests.every((request) => request.includes('/tree/'))).toBe(true);
    }
  );

  it('takes a part of a repository', async () => {
    const hub = await startMovingHub(files);
    const { out } = await runCli(['manifest', 'from', 'owner/repo@main/q4'], {
      home,
      environment: { HF_ENDPOINT: hub.origin }
    });
    expect(JSON.parse(out).files).toMatchObject([{ filename: 'flux-q4.gguf' }]);
  });

  it('prints nothing that moves, hides or colours text on a terminal, and keeps the names as they are', async () => {
    const names = ['\u009b31mred.gguf', 'b\u001b]0;title\u0007.gguf', 'c\u202etxet\u007f\u{e0041}.gguf'];
    const hub = await startMovingHub(Object.fromEntries(names.map((name) => [name, MODEL])));
    const { status, out, err } = await runCli(['manifest', 'from', 'owner/repo'], {
      home,
      environment: { HF_ENDPOINT: hub.origin }
    });
    expect(status).toBe(0);
    expect(JSON.parse(out).files.map(({ filename }: { filename: string }) => filename)).toEqual(names.toSorted());
    expect(err).toContain('The role of ');
    expect(`${out}${err}`.split('\n').filter(hasInvisibleCharacter)).toEqual([]);
  });

  it('says which name no address can hold', async () => {
    const hub = await startMovingHub({ 'part\ud800.gguf': MODEL, 'sub/vae.gguf': VAE });
    const environment = { HF_ENDPOINT: hub.origin };
    const { status, err } = await runCli(['manifest', 'from', 'owner/repo'], { home, environment });
    expect(status).toBe(1);
    expect(err).toContain(String.raw`The hub lists the file "part\ud800.gguf", whose name is no valid text.`);
    const part = await runCli(['manifest', 'from', 'owner/repo@main/sub'], { home, environment });
    expect(JSON.parse(part.out).files).toMatchObject([{ filename: 'vae.gguf' }]);
  });

  it('refuses more files than a manifest lists', async () => {
    const one = Buffer.from('x');
    const hub = await startMovingHub(
      Object.fromEntries(Array.from({ length: MOST_FILES + 1 }, (_, n) => [`${n}.gguf`, one]))
    );
    const { status, out, err } = await runCli(['manifest', 'from', 'owner/repo'], {
      home,
      environment: { HF_ENDPOINT: hub.origin }
    });
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain('A manifest lists at most 10000 files, and here are 10001 with weights.');
  });

  it('says when nobody answers', async () => {
    const { status, err } = await runCli(['manifest', 'from', 'owner/repo'], {
      home,
      environment: { HF_ENDPOINT: 'http://127.0.0.1:9' }
    });
    expect(status).toBe(1);
    expect(err).toContain('127.0.0.1:9');
  });
});

it.each([['manifest'], ['manifest', 'from'], ['manifest', 'of', 'x'], ['manifest', 'from', 'no such thing']])(
  'tells how it is used: %s %s %s',
  async (...words) => {
    expect((await runCli(words.filter(Boolean), { home })).status).toBe(2);
  }
);
