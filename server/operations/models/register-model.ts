import { Failure } from '../../../shared/failure';
import { parseModelName } from '../../../shared/model-name';
import { findEntry, type InstallationStamp, withEntry } from '../../registry/registry-state';
import { loadSourceManifest } from '../manifests/manifest-file';
import type { Services } from '../services';
import type { KnownModel } from './known-models';

type Parts = Pick<Services, 'registry' | 'clock'>;

/**
 * The model that a manifest file describes; nothing is registered.
 * @param path absolute path of the manifest
 * @throws Failure
 */
export async function modelFromManifest(path: string): Promise<KnownModel> {
  const manifest = await loadSourceManifest(path);
  const name = parseModelName(manifest.name);
  if (!name) throw new Failure('invalid-manifest', 'The manifest names no valid model.', { subject: path });
  return { name, manifest, manifestPath: path };
}

/** Writes a model into the registry. @returns the stamp of its installation, which stays */
export async function register(
  { registry, clock }: Parts,
  { name, manifest, manifestPath, publication, conversion }: KnownModel
): Promise<InstallationStamp | undefined> {
  const entry = {
    manifest,
    updated_at_unix_ms: clock.now(),
    ...(manifestPath !== undefined && { manifest_path: manifestPath }),
    ...(publication && { publication }),
    ...(conversion && { conversion })
  };
  const models = await registry.change((before) => withEntry(before, name, entry));
  return findEntry(models, name)?.installed;
}
