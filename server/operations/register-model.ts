import { Failure } from '../../shared/failure';
import { parseModelName } from '../../shared/model-name';
import { withEntry } from '../registry/registry-state';
import type { KnownModel } from './known-models';
import { loadSourceManifest } from './manifest-file';
import type { Services } from './services';

type Parts = Pick<Services, 'registry' | 'clock'>;

/**
 * Registers the model of a manifest file, or updates the entry of that name.
 * @param path absolute path of the manifest
 * @throws Failure
 */
export async function registerManifest(services: Parts, path: string): Promise<KnownModel> {
  const manifest = await loadSourceManifest(path);
  const name = parseModelName(manifest.name);
  if (!name) throw new Failure('invalid-manifest', 'The manifest names no valid model.', { subject: path });
  const model: KnownModel = { name, manifest, manifestPath: path };
  await register(services, model);
  return model;
}

/** Writes a model into the registry; the stamp of an installation stays. */
export async function register(
  { registry, clock }: Parts,
  { name, manifest, manifestPath }: KnownModel
): Promise<void> {
  const entry = {
    manifest,
    updated_at_unix_ms: clock.now(),
    ...(manifestPath !== undefined && { manifest_path: manifestPath })
  };
  await registry.change((models) => withEntry(models, name, entry));
}
