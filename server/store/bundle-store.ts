import { constants, copyFile, link, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { InstalledManifest } from '../../shared/manifest/installed-manifest';
import type { ModelName } from '../../shared/model-name';
import {
  exists,
  makeDirectoryDurably,
  renamePatiently,
  syncDirectory,
  syncFile,
  writeFileDurably
} from '../platform/durable-files';
import { nonce, ownIdentity } from '../platform/process-identity';
import { isErrorWithCode } from '../platform/system-error';
import type { Blob } from './blob-store';
import { assessBundleFolder } from './bundle-state';
import { BUNDLE_MANIFEST, type CacheLayout } from './cache-layout';
import { forgetOperation, recordOperation } from './operation-record';

/** The bytes of one file of a bundle to be installed. */
export interface BundleContent {
  /** The file's path within the bundle, a plain file name. */
  readonly path: string;
  readonly blob: Blob;
}

/** Puts bundles in place and takes them away, so that a crash at any instant leaves the old one or the new one. */
export class BundleStore {
  constructor(private readonly layout: CacheLayout) {}

  /**
   * Installs a bundle from blobs, replacing one of the same name by two renames that recovery completes or undoes.
   * @returns the bundle's folder
   */
  async install(name: ModelName, contents: readonly BundleContent[], manifest: InstalledManifest): Promise<string> {
    const id = nonce();
    const entry = `${name}.${id}`;
    const staging = join(this.layout.staging, entry);
    const owner = await ownIdentity();
    const record = await recordOperation(this.layout, id, {
      kind: 'install',
      name,
      owner,
      staging: entry,
      purge: entry
    });
    try {
      await makeDirectoryDurably(staging);
      for (const { path, blob } of contents) await placeBlob(blob.path, join(staging, path));
      await writeFileDurably(join(staging, BUNDLE_MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
      await syncDirectory(staging);
      await promote(this.layout, name, entry);
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      await forgetOperation(this.layout, record);
      throw error;
    }
    await rm(join(this.layout.purge, entry), { recursive: true, force: true });
    await forgetOperation(this.layout, record);
    return this.layout.model(name);
  }

  /**
   * Whether the installed bundle is already made of exactly these blobs and says the same of them, so that installing
   * it again would change nothing but its date. False where the volume has no hard links.
   */
  async holds(name: ModelName, contents: readonly BundleContent[], manifest: InstalledManifest): Promise<boolean> {
    const folder = this.layout.model(name);
    const bundle = await assessBundleFolder(folder);
    if (bundle.kind !== 'present' || bundle.problems.length > 0) return false;
    const { installed_at_unix_ms } = bundle.manifest;
    if (!isDeepStrictEqual(bundle.manifest, { ...manifest, installed_at_unix_ms })) return false;
    const linked = contents.map(({ path, blob }) => isSameFile(join(folder, path), blob.path));
    return (await Promise.all(linked)).every(Boolean);
  }

  /** Removes a bundle; nothing happens when there is none. Blobs that nothing else uses stay until collected. */
  async drop(name: ModelName): Promise<void> {
    if (!(await exists(this.layout.model(name)))) return;
    const id = nonce();
    const entry = `${name}.${id}`;
    const owner = await ownIdentity();
    const record = await recordOperation(this.layout, id, { kind: 'drop', name, owner, staging: '', purge: entry });
    try {
      await setAside(this.layout, name, entry);
    } catch (error) {
      await forgetOperation(this.layout, record);
      throw error;
    }
    await rm(join(this.layout.purge, entry), { recursive: true, force: true });
    await forgetOperation(this.layout, record);
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
  return a.ino === b.ino && a.dev === b.dev;
}

/** Moves the old bundle aside and the staged one in; the first rename is rolled back when the second fails. */
async function promote(layout: CacheLayout, name: ModelName, entry: string): Promise<void> {
  await makeDirectoryDurably(layout.models);
  const replaces = await exists(layout.model(name));
  if (replaces) await setAside(layout, name, entry);
  try {
    await renamePatiently(join(layout.staging, entry), layout.model(name));
  } catch (error) {
    if (replaces) await renamePatiently(join(layout.purge, entry), layout.model(name));
    throw error;
  }
  await syncDirectory(layout.models);
  await syncDirectory(layout.staging);
}

async function setAside(layout: CacheLayout, name: ModelName, entry: string): Promise<void> {
  await makeDirectoryDurably(layout.purge);
  await renamePatiently(layout.model(name), join(layout.purge, entry));
  await syncDirectory(layout.purge);
  await syncDirectory(layout.models);
}

/** Gives a bundle its file: a hard link to the blob, where the volume has none a reflink, else a copy. */
async function placeBlob(blob: string, target: string): Promise<void> {
  try {
    await link(blob, target);
  } catch (error) {
    if (!isErrorWithCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EMLINK', 'ENOSYS')) throw error;
    await copyFile(blob, target, constants.COPYFILE_FICLONE);
    await syncFile(target).catch((failure: unknown) => {
      // A read-only copy cannot be opened for writing; its content was synced with the blob or is copied again.
      if (!isErrorWithCode(failure, 'EACCES', 'EPERM')) throw failure;
    });
  }
}
