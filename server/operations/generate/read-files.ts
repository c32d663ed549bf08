import { join } from 'node:path';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import type { EngineFile } from '../../engine/arguments/engine-file';
import { checkWeights } from '../../engine/check-weights';
import type { Services } from '../services';

/**
 * The files of an installed model that are something to the engine, with what their headers say. Whatever is unsound
 * never reaches the engine.
 * @throws Failure 'bad-weights', 'unsupported-weights', 'file-access'
 */
export async function readFiles(
  services: Services,
  name: ModelName,
  { files }: InstalledManifest
): Promise<readonly EngineFile[]> {
  const { layout, weights } = services;
  const mayBePickle = allowsPickles(services, name);
  const found: EngineFile[] = [];
  // One after the other: each takes a handle and room for a header. What was read before and is as it was costs nothing.
  for (const { path: relative, role } of files) {
    if (!role) continue;
    const path = join(layout.model(name), relative);
    const reading = await weights.look(path);
    found.push({ role, path, weights: checkWeights({ role, path, reading }, mayBePickle) });
  }
  return found;
}

/** Whether the user allowed pickles of a model: by the setting, and for the command line a variable with names between commas. */
export function allowsPickles({ allowPickle = [], environment }: Services, name: ModelName): boolean {
  const named = (environment['DIFFUSION_DOCK_ALLOW_PICKLE'] ?? '').split(',').map((text) => text.trim());
  return [...allowPickle, ...named].some((text) => {
    const allowed = parseModelName(text);
    return allowed !== undefined && modelKey(allowed) === modelKey(name);
  });
}
