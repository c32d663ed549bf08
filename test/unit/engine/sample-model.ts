import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { EngineFile } from '../../../server/engine/arguments/engine-file';
import type { Role } from '../../../shared/roles';

const repository = join(__dirname, '..', '..', '..');

/** A program that takes sd-cli's arguments and behaves as recordings of the real one show. */
export const STAND_IN = join(repository, 'test', 'support', 'stand-in', 'sd-cli.mjs');

const FILES: readonly (readonly [Role, string])[] = [
  ['model', 'te-sd1-q1_0.gguf'],
  ['diffusion_model', 'unet-sd1.safetensors'],
  ['taesd', 'taesd.safetensors']
];

/** Expands the sample model that is kept compressed in the repository. */
export function expandSampleModel(folder: string): Promise<EngineFile[]> {
  return Promise.all(
    FILES.map(async ([role, name]) => {
      const path = join(folder, name);
      await writeFile(path, gunzipSync(await readFile(join(repository, 'samples', 'files', `${name}.gz`))));
      return { role, path };
    })
  );
}
