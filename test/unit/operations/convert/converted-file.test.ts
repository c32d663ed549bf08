import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireConverted } from '../../../../server/operations/convert/converted-file';
import { WeightsLibrary } from '../../../../server/operations/weights/weights-library';
import { findWeightType } from '../../../../shared/weight-types';
import { createModelFolder } from '../../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../../support/temporary-folder';

/** Checks what an engine wrote for the tiny SD 1 network. */
async function check(written: (folder: string) => Promise<string>, type = 'f16'): Promise<void> {
  const folder = await temporaryFolder();
  createModelFolder(folder);
  const library = new WeightsLibrary();
  const path = join(folder, 'unet-sd1.safetensors');
  const original = await library.look(path);
  if (original.kind !== 'read') throw original.failure;
  const file = { role: 'diffusion_model', path, weights: original.description } as const;
  requireConverted(file, await library.look(await written(folder)), findWeightType(type)!);
}

describe('a file that the engine converted', () => {
  it('is what was asked for', async () => {
    await check(async (folder) => join(folder, 'conv/unet-sd1-f16.gguf'));
  });

  it.each([
    [
      'is cut off',
      'f16',
      async (folder: string) => cut(folder),
      /^What sd-cli made of unet-sd1\.safetensors is damaged: /
    ],
    [
      'is another model',
      'f16',
      async (folder: string) => join(folder, 'te-sd1-q1_0.gguf'),
      /is not the same model any more/
    ],
    [
      'has nothing of the type',
      'q8_0',
      async (folder: string) => join(folder, 'conv/unet-sd1-f16.gguf'),
      /^Nothing of unet-sd1\.safetensors can be stored as q8_0/
    ]
  ])('is refused when it %s', async (_, type, written, message) => {
    await expect(check(written, type)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(message)
    });
  });
});

async function cut(folder: string): Promise<string> {
  const path = join(folder, 'cut.gguf');
  const whole = await readFile(join(folder, 'conv/unet-sd1-f16.gguf'));
  await writeFile(path, whole.subarray(0, whole.length - 64));
  return path;
}
