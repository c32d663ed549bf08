import { modelStatus } from '../../registry/model-status';
import { contentKey, findEntry, type Models, stampOf, withoutEntry, withStamp } from '../../registry/registry-state';
import { assessBundleFolder, type BundleState } from '../../store/bundle-state';
import type { SettledOperation } from '../../store/recovery';
import type { Services } from '../services';
import { noteRenaming } from './rename-model';

/**
 * Has the registry say of a model what lies in its place, after an operation that a crash interrupted was settled: what
 * the operation would have noted itself in the end.
 * @throws Failure
 */
export async function restamp(
  { layout, registry, clock }: Pick<Services, 'layout' | 'registry' | 'clock'>,
  operation: SettledOperation
): Promise<void> {
  if (operation.kind === 'rename') return noteRenaming({ layout, registry, clock }, operation);
  const folder = layout.model(operation.name);
  const bundle = await assessBundleFolder(folder);
  await registry.change((models) => restamped(models, operation, folder, bundle, clock.now()));
}

function restamped(
  models: Models,
  { kind, name, forget }: Exclude<SettledOperation, { kind: 'rename' }>,
  folder: string,
  bundle: BundleState,
  now: number
): Models {
  const entry = findEntry(models, name);
  if (!entry) return models;
  const { manifest, installed } = entry;
  if (bundle.kind === 'absent') {
    // What an undone installation did not find was gone before.
    if (kind === 'install') return models;
    return forget ? withoutEntry(models, name) : withStamp(models, name, undefined, now);
  }
  if (bundle.kind === 'unreadable') return models;
  if (installed?.installed_at_unix_ms === bundle.manifest.installed_at_unix_ms) return models;
  const isAsAsked = modelStatus(manifest, bundle, true).status === 'installed';
  return withStamp(models, name, stampOf(folder, bundle.manifest, isAsAsked ? contentKey(manifest) : undefined), now);
}
