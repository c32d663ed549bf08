import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { KnownModel } from '../../server/operations/models/known-models';
import { modelFromManifest } from '../../server/operations/models/register-model';
import type { ServiceOptions } from '../../server/operations/services';
import { STAND_IN } from './run-cli';
import { temporaryFolder } from './temporary-folder';
import { pullManifest, type TestServices, testServices } from './test-services';

const SAMPLES = join(import.meta.dirname, '../../samples');

/**
 * Writes the sample model of three files beside a manifest of it, of which fields may be others.
 * @param given the folder to write into; absent: one that is removed after the test
 * @returns its path
 */
export async function sampleManifest(fields: Readonly<Record<string, unknown>> = {}, given?: string): Promise<string> {
  const folder = given ?? (await temporaryFolder());
  const manifest = JSON.parse(await readFile(join(SAMPLES, 'workspace/tiny-sd1/manifest.json'), 'utf8'));
  for (const file of manifest.files) {
    const compressed = await readFile(join(SAMPLES, `files/${file.filename}.gz`));
    await writeFile(join(folder, file.filename), gunzipSync(compressed));
    file.url = file.filename;
  }
  const path = join(folder, 'manifest.json');
  await writeFile(path, JSON.stringify({ ...manifest, ...fields }));
  return path;
}

/** Services that have the stand-in for an engine, and the sample model installed. */
export async function servicesWithSample(
  options: Partial<ServiceOptions> = {},
  fields: Readonly<Record<string, unknown>> = {}
): Promise<{ readonly services: TestServices; readonly model: KnownModel }> {
  const services = await testServices({ sdCliPath: STAND_IN, ...options });
  const path = await sampleManifest(fields);
  await pullManifest(services, path);
  return { services, model: await modelFromManifest(path) };
}
