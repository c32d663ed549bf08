import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../shared/failure';
import type { ModelName } from '../../shared/model-name';
import { exists, makeDirectoryDurably, renameIfThere, renamePatiently, syncDirectory } from '../platform/durable-files';
import { isErrorWithCode } from '../platform/system-error';
import { BUNDLE_MANIFEST, type CacheLayout } from './cache-layout';
import { keepReliedOn } from './only-copies';

/** The entries of one operation in the folders of staged and of purged bundles. */
export interface SwapEntries {
  readonly staging: string;
  readonly purge: string;
}

/** Tells a bundle's folder from another one that took its place later; '' when there is none. */
export async function folderStamp(path: string): Promise<string> {
  try {
    const { ino, mtimeNs } = await lstat(path, { bigint: true });
    return `${ino}-${mtimeNs}`;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}

/**
 * Moves the old bundle aside and the staged one in. When the second rename fails, the first is undone. A bundle that
 * another process puts in place in between is moved aside too: the last one wins, unless it says what it replaces.
 * @param expected stamp of the only bundle that may be replaced
 * @throws Failure('busy') when another bundle is there; what was moved aside is then left for {@link undoInstall}
 */
export async function promote(
  layout: CacheLayout,
  name: ModelName,
  entries: SwapEntries,
  expected?: string
): Promise<void> {
  await makeDirectoryDurably(layout.models);
  for (;;) {
    if (expected !== undefined) requireStamp(name, await folderStamp(layout.model(name)), expected);
    await setAside(layout, name, entries.purge);
    if (expected !== undefined) requireTime(name, await folderStamp(join(layout.purge, entries.purge)), expected);
    try {
      await renamePatiently(join(layout.staging, entries.staging), layout.model(name));
      break;
    } catch (error) {
      if (isErrorWithCode(error, 'ENOTEMPTY', 'EEXIST')) continue;
      await putBack(layout, name, entries.purge);
      throw error;
    }
  }
  await syncDirectory(layout.models);
  await syncDirectory(layout.staging);
}

/** @throws Failure('busy') unless a bundle's folder is the one that was looked at before */
export function requireStamp(name: ModelName, stamp: string, expected: string): void {
  if (stamp !== expected) throw changedMeanwhile(name);
}

/** As {@link requireStamp}, of a folder that was moved since: file systems without inodes may number it anew. */
function requireTime(name: ModelName, stamp: string, expected: string): void {
  if (stamp.split('-')[1] !== expected.split('-')[1]) throw changedMeanwhile(name);
}

/** The failure of whoever would replace a model that somebody else changed in the meantime. */
export function changedMeanwhile(name: ModelName): Failure {
  return new Failure('busy', `The installed files of ${name} were changed by somebody else meanwhile.`, {
    subject: name,
    nextStep: 'Try again.'
  });
}

/** Moves a bundle out of the way; nothing happens when there is none. */
export async function setAside(layout: CacheLayout, name: ModelName, purge: string): Promise<void> {
  if (!(await exists(layout.model(name)))) return;
  await makeDirectoryDurably(layout.purge);
  // One that is there already was replaced by what is to be moved now.
  await removeAside(layout, purge);
  if (!(await renameIfThere(layout.model(name), join(layout.purge, purge)))) return;
  await syncDirectory(layout.purge);
  await syncDirectory(layout.models);
}

/** Moves a bundle that was set aside back in place, unless another took its place. @returns whether it did */
export async function putBack(layout: CacheLayout, name: ModelName, purge: string): Promise<boolean> {
  const aside = join(layout.purge, purge);
  if (!(await exists(aside)) || (await exists(layout.model(name)))) return false;
  try {
    await renamePatiently(aside, layout.model(name));
  } catch (error) {
    if (isErrorWithCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return false;
    throw error;
  }
  await syncDirectory(layout.models);
  return true;
}

/** Undoes an installation that did not get its bundle in place. @returns whether an old bundle came back */
export async function undoInstall(layout: CacheLayout, name: ModelName, entries: SwapEntries): Promise<boolean> {
  const staging = join(layout.staging, entries.staging);
  // While it is there, nothing was promoted; so it goes last, that a crash in here is undone in the same way.
  const isBack = (await exists(staging)) && (await putBack(layout, name, entries.purge));
  await rm(staging, { recursive: true, force: true });
  await removeAside(layout, entries.purge);
  return isBack;
}

/**
 * Removes a bundle that was set aside, its manifest first, so that what is left of it after a crash is no bundle any
 * more. The only copies of contents that jobs rely on go into the store before.
 */
export async function removeAside(layout: CacheLayout, purge: string): Promise<void> {
  const folder = join(layout.purge, purge);
  if (await isFolder(folder)) {
    await keepReliedOn(layout, folder);
    await rm(join(folder, BUNDLE_MANIFEST), { recursive: true, force: true });
    await syncDirectory(folder);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Not so for a link to a folder, whose content is not ours. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
