import { join } from 'node:path';
import { Failure } from '../../shared/failure';
import { type ModelName, modelKey, parseModelName } from '../../shared/model-name';
import {
  exists,
  removeAbandonedTemporaries,
  renamePatiently,
  syncDirectory,
  writeFileDurably
} from '../platform/durable-files';
import { isErrorWithCode } from '../platform/system-error';
import { assessBundleFolder } from './bundle-state';
import { folderStamp } from './bundle-swap';
import { BUNDLE_MANIFEST, type CacheLayout } from './cache-layout';
import type { RenameRecord } from './operation-record';

/**
 * Moves the folder of a bundle to that of another name, by one rename.
 * @throws Failure('busy') when something has that name; nothing is moved then
 */
export async function moveBundle(layout: CacheLayout, name: ModelName, to: ModelName): Promise<void> {
  if (await exists(layout.model(to))) throw nameTaken(to);
  try {
    await renamePatiently(layout.model(name), layout.model(to));
  } catch (error) {
    if (isErrorWithCode(error, 'ENOTEMPTY', 'EEXIST')) throw nameTaken(to);
    throw error;
  }
  await syncDirectory(layout.models);
}

/** Has the manifest in a bundle's folder say the name of the folder; one that cannot be read stays as it is. */
export async function nameBundle(layout: CacheLayout, name: ModelName): Promise<void> {
  const folder = layout.model(name);
  const bundle = await assessBundleFolder(folder);
  if (bundle.kind !== 'present' || bundle.manifest.name === name) return;
  await writeFileDurably(join(folder, BUNDLE_MANIFEST), `${JSON.stringify({ ...bundle.manifest, name }, null, 2)}\n`);
}

/** The failure of whoever would give a model a name that another has. */
export function nameTaken(name: ModelName): Failure {
  return new Failure('busy', `There is a model named ${name} already.`, {
    subject: name,
    nextStep: 'Choose another name; upper and lower case make no difference.'
  });
}

/**
 * Finishes an interrupted renaming whose folder was moved already; one that had not begun is forgotten.
 * @returns what was done, a sentence
 */
export async function settleRename(
  layout: CacheLayout,
  { replaces }: RenameRecord,
  { name, to }: { readonly name: ModelName; readonly to: ModelName }
): Promise<string> {
  if ((await folderStamp(layout.model(name))) === replaces) return `Left ${name} under its name.`;
  await removeAbandonedTemporaries(layout.model(to));
  const bundle = await assessBundleFolder(layout.model(to));
  const own = bundle.kind === 'present' ? parseModelName(bundle.manifest.name) : undefined;
  const isOurs = own !== undefined && [name, to].some((one) => modelKey(one) === modelKey(own));
  if (!isOurs) return `Cleaned up after renaming ${name}.`;
  await nameBundle(layout, to);
  return `Finished renaming ${name} to ${to}.`;
}
