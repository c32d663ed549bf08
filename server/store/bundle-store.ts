import { rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../shared/failure';
import type { InstalledManifest } from '../../shared/manifest/installed-manifest';
import type { ModelName } from '../../shared/model-name';
import { exists, makeDirectoryDurably, syncDirectory, writeFileDurably } from '../platform/durable-files';
import { areCopiesFree } from '../platform/free-copies';
import type { Hasher } from '../platform/hasher';
import { nonce, ownIdentity, type ProcessIdentity } from '../platform/process-identity';
import { errorCode, isErrorWithCode } from '../platform/system-error';
import { reclaimBlob, setUnusedAside } from './aside-blobs';
import type { Blob } from './blob-store';
import { assessBundleFolder } from './bundle-state';
import { folderStamp, promote, putBack, removeAside, requireStamp, setAside, undoInstall } from './bundle-swap';
import { BUNDLE_MANIFEST, type CacheLayout } from './cache-layout';
import { forgetOperation, recordOperation } from './operation-record';
import { placeBlob } from './place-blob';
import type { Proofs } from './proofs';
import { countReliances } from './reliance';
import { moveBundle, nameBundle } from './rename-bundle';
import { survivingNames } from './surviving-names';

/** The bytes of one file of a bundle to be installed. */
export interface BundleContent {
  /** The file's path within the bundle; `/` separates folders. */
  readonly path: string;
  readonly blob: Blob;
  /** Set for what the bundle that is replaced has and keeps as it is, sound or not. */
  readonly isKept?: true;
}

export interface InstallOptions {
  /** {@link folderStamp} of the only bundle that may be replaced; absent when any may. */
  readonly expected?: string;
  /** Notes the installation elsewhere. Should the process end before that, {@link recover} has it done. */
  readonly onInstalled?: () => Promise<unknown>;
  /** Ends the reading of copies; what was there before then stays. */
  readonly signal?: AbortSignal;
}

export interface DropOptions {
  /** Whether the model is not even to be known any more; {@link recover} has to be told by the record. */
  readonly forget?: boolean;
  /** Notes the removal elsewhere. Should the process end before that, {@link recover} has it done. */
  readonly onDropped?: () => Promise<unknown>;
}

/** Puts bundles in place and takes them away, so that a crash at any instant leaves the old one or the new one. */
export class BundleStore {
  constructor(
    private readonly layout: CacheLayout,
    private readonly hasher: Hasher,
    private readonly proofs: Proofs
  ) {}

  /**
   * Installs a bundle from blobs, replacing one of the same name by two renames that recovery completes or undoes.
   * @returns the bundle's folder
   * @throws Failure('busy') when another bundle than the expected one is there, or when a content was to come from
   *   another bundle that was changed meanwhile; what is there stays
   */
  async install(
    name: ModelName,
    contents: readonly BundleContent[],
    manifest: InstalledManifest,
    options: InstallOptions = {}
  ): Promise<string> {
    const touched = [...contents.map(({ blob }) => blob.path), ...(await survivingNames(this.layout, name))];
    return this.proofs.keepThrough(touched, () => this.putInPlace(name, contents, manifest, options));
  }

  private async putInPlace(
    name: ModelName,
    contents: readonly BundleContent[],
    manifest: InstalledManifest,
    { expected, onInstalled, signal }: InstallOptions
  ): Promise<string> {
    const { layout } = this;
    const operation = await this.begin(name);
    if (expected !== undefined) requireStamp(name, operation.replaces, expected);
    const record = { kind: 'install' as const, ...operation, staging: operation.purge };
    const file = await recordOperation(layout, operation.id, record);
    let hasCopies: boolean;
    try {
      hasCopies = await this.stage(join(layout.staging, record.staging), contents, manifest, signal);
      await promote(layout, name, record, expected);
    } catch (error) {
      await settleNowOrLater(layout, file, () => undoInstall(layout, name, record));
      throw error;
    }
    await onInstalled?.();
    await settleNowOrLater(layout, file, async () => {
      await removeAside(layout, record.purge);
      if (hasCopies) await release(layout, contents);
    });
    return layout.model(name);
  }

  /**
   * Puts a bundle together, its manifest last.
   * @returns whether files of it are copies, for the volume has neither hard links nor reflinks
   */
  private async stage(
    folder: string,
    contents: readonly BundleContent[],
    manifest: InstalledManifest,
    signal: AbortSignal | undefined
  ): Promise<boolean> {
    let hasCopies = false;
    await makeDirectoryDurably(folder);
    const folders = new Set([folder]);
    for (const content of contents) {
      const target = join(folder, content.path);
      await makeDirectoryDurably(dirname(target));
      const isCopy = await placeReclaimed(this.layout, content, target);
      if (isElsewhere(this.layout, content)) await this.requireDigest(target, content, signal);
      hasCopies ||= isCopy;
      folders.add(dirname(target));
    }
    for (const written of folders) await syncDirectory(written);
    await writeFileDurably(join(folder, BUNDLE_MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    return hasCopies;
  }

  private async requireDigest(staged: string, content: BundleContent, signal: AbortSignal | undefined): Promise<void> {
    const { digest } = await this.hasher.hash(staged, { signal });
    if (digest !== content.blob.digest) throw changedElsewhere(content.path);
  }

  /**
   * Whether the installed bundle is already made of exactly these blobs and says the same of them, so that installing
   * it again would change nothing but its date. Where copies are not free, the contents are to lie in the bundle itself.
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
  async drop(name: ModelName, options: DropOptions = {}): Promise<void> {
    const { layout } = this;
    if (!(await exists(layout.model(name)))) {
      await options.onDropped?.();
      return;
    }
    const names = await survivingNames(this.layout, name);
    await this.proofs.keepThrough(names, () => this.takeAway(name, options));
  }

  private async takeAway(name: ModelName, { forget = false, onDropped }: DropOptions): Promise<void> {
    const { layout } = this;
    const operation = await this.begin(name);
    const file = await recordOperation(layout, operation.id, { kind: 'drop', ...operation, forget });
    try {
      await setAside(layout, name, operation.purge);
    } catch (error) {
      await settleNowOrLater(layout, file, () => putBack(layout, name, operation.purge));
      throw error;
    }
    await onDropped?.();
    await settleNowOrLater(layout, file, () => removeAside(layout, operation.purge));
  }

  /**
   * Gives a bundle another name; nothing is moved when there is none.
   * @param onRenamed notes the new name elsewhere. Should the process end before that, {@link recover} has it done
   * @throws Failure('busy') when something has the name; system errors. What is there stays then
   */
  async rename(name: ModelName, to: ModelName, onRenamed: () => Promise<unknown>): Promise<void> {
    const { layout } = this;
    if (!(await exists(layout.model(name)))) {
      await onRenamed();
      return;
    }
    const operation = await this.begin(name);
    const file = await recordOperation(layout, operation.id, { kind: 'rename', ...operation, to });
    let isMoved = false;
    try {
      await moveBundle(layout, name, to);
      isMoved = true;
      await nameBundle(layout, to);
    } catch (error) {
      await settleNowOrLater(layout, file, async () => (isMoved ? moveBundle(layout, to, name) : undefined));
      throw error;
    }
    await onRenamed();
    await settleNowOrLater(layout, file, () => Promise.resolve());
  }

  private async begin(name: ModelName): Promise<Operation> {
    await makeDirectoryDurably(this.layout.operations);
    const id = nonce();
    const replaces = await folderStamp(this.layout.model(name));
    return { id, name, owner: await ownIdentity(), replaces, purge: `${name}.${id}` };
  }
}

/** What the records of both kinds of operation share, and the name of the record. */
interface Operation {
  readonly id: string;
  readonly name: ModelName;
  readonly owner: ProcessIdentity;
  readonly replaces: string;
  readonly purge: string;
}

/** Does the last step of an operation and forgets it. When that fails, the record stays, and recovery does both. */
async function settleNowOrLater(layout: CacheLayout, file: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
    await forgetOperation(layout, file);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/**
 * Removes contents that a bundle has copies of, where they would take their room twice. While another job relies on one
 * it stays; that job takes it away, or else a collection.
 */
async function release(layout: CacheLayout, contents: readonly BundleContent[]): Promise<void> {
  // On other volumes a content is copied when it has too many links.
  if (await areCopiesFree(layout.operations)) return;
  const digests = [...new Set(contents.map(({ blob }) => blob.digest))];
  const garbage = await setUnusedAside(layout, digests, async () => {
    const reliances = await countReliances(layout);
    return (digest) => reliances(digest) > 1;
  });
  for (const { path } of garbage) await rm(path, { force: true });
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one, { bigint: true }), stat(other, { bigint: true })]);
    return a.ino === b.ino && a.dev === b.dev;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** So many times a blob is taken back that collections set aside again and again; none does so twice to one. */
const RECLAIM_ATTEMPTS = 8;

/**
 * As {@link placeBlob}, of a blob that a collection may just have set aside. What was found in another bundle is taken
 * from the store when it lies there now, for that bundle may be gone.
 */
async function placeReclaimed(layout: CacheLayout, content: BundleContent, target: string): Promise<boolean> {
  const { path, digest } = content.blob;
  const stored = layout.blob(digest);
  for (let attempt = 1; ; attempt += 1) {
    const isStored = isElsewhere(layout, content) && (await exists(stored));
    try {
      return await placeBlob(isStored ? stored : path, target);
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
      if (attempt === RECLAIM_ATTEMPTS) throw isElsewhere(layout, content) ? changedElsewhere(content.path) : error;
      await reclaimBlob(layout, digest);
    }
  }
}

/** Whether a content was found in a bundle, which may be changed or removed while a job relies on the content. */
function isElsewhere(layout: CacheLayout, { blob, isKept }: BundleContent): boolean {
  return isKept !== true && blob.path !== layout.blob(blob.digest);
}

function changedElsewhere(path: string): Failure {
  return new Failure('busy', `${path} was to be copied from a model that was changed or removed meanwhile.`, {
    subject: path,
    nextStep: 'Try again; what is not there any more is fetched.'
  });
}
