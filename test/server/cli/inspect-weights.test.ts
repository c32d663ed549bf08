import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../support/run-cli';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { writeManifest } from '../../support/test-services';

let home: string;
let models: string;

beforeEach(async () => {
  home = await temporaryFolder();
  models = await temporaryFolder();
  createModelFolder(models);
});

const inspect = (argument: string, ...options: string[]) =>
  runCli(['inspect', argument, ...options], { home, folder: models });

describe('inspect of a file', () => {
  it('tells what it is, what it holds and what it takes', async () => {
    const { status, out } = await inspect('sd1-inpaint.safetensors');
    expect(status).toBe(0);
    expect(out).toBe(`${join(models, 'sd1-inpaint.safetensors')}: Stable Diffusion 1 checkpoint (inpaint)
  format    safetensors
  holds     158 million parameters: F8_E4M3 157 MB, F16 2.0 MB
  memory    317 MB for the weights; a run takes more, by the size of its images
  part      diffusion model, 2.0 MB of memory
  part      CLIP-L text encoder, 246 MB of memory
  part      VAE, 68.7 MB of memory
  says      it is “stable-diffusion-v1”; a hint of its publisher
`);
  });

  it('tells the same as a document', async () => {
    const { out } = await inspect('./lora/tinylora.safetensors', '--json');
    expect(JSON.parse(out)).toMatchObject({
      path: join(models, 'lora', 'tinylora.safetensors'),
      weights: { format: 'safetensors', component: 'lora', family: 'sd1', types: [{ dtype: 'F16' }] }
    });
  });

  it('names a pickle that says that it is one, and refuses one that does not', async () => {
    const honest = await inspect('sd1.ckpt');
    expect(honest).toMatchObject({
      status: 0,
      out: expect.stringContaining('PyTorch archive with a pickle, which is not read')
    });
    await copyFile(join(models, 'sd1.ckpt'), join(models, 'renamed.safetensors'));
    const disguised = await inspect('renamed.safetensors');
    expect(disguised.status).toBe(1);
    expect(disguised.err).toContain('renamed.safetensors is a pickle, which can run code');
  });

  it('tells why a file cannot be read', async () => {
    expect(await inspect('missing.gguf')).toMatchObject({
      status: 1,
      err: expect.stringContaining('The file does not exist.')
    });
    expect(await inspect('./conv')).toMatchObject({
      status: 1,
      err: expect.stringContaining('This is not a file.')
    });
  });
});

describe('inspect of a model', () => {
  it('tells of each file what it is, and why not', async () => {
    const manifest = await writeManifest([
      { role: 'vae', filename: 'taesd.safetensors', url: pathToFileURL(join(models, 'taesd.safetensors')).href },
      {
        role: 'model',
        filename: 'notes.gguf',
        url: pathToFileURL(join(import.meta.dirname, 'inspect-weights.test.ts')).href
      }
    ]);
    expect((await runCli(['pull', manifest], { home })).status).toBe(0);
    const { out } = await inspect('test-model', '--json');
    expect(JSON.parse(out).installedFiles).toMatchObject([
      { path: 'notes.gguf', weightsProblem: 'This is no file of a format that weights are kept in.' },
      { path: 'taesd.safetensors', weights: { component: 'taesd' } }
    ]);
    const people = await inspect('test-model');
    expect(people.out).toContain(
      '    tiny autoencoder (TAESD), safetensors: 2 million parameters in F8_E4M3, 4.9 MB of memory.\n'
    );
    expect(people.out).toContain('    weights: This is no file of a format that weights are kept in.\n');
  });
});
