import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../../shared/digest';
import { exists, makeDirectoryDurably, writeFileDurably } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { fileFailure, isErrorWithCode } from '../platform/system-error';
import { digestOf } from './incoming-image';
import { readImageFile } from './png/png-file';

/** How long an input stays that no sidecar names, in ms: it is stored before the sidecar of its image is. */
const GRACE_MS = 60 * 60 * 1000;

/**
 * The images that runs were given, as `<root>/sha256/ab/<64 hex>` without an extension: they are what the engine got,
 * of whatever format.
 */
export class ImageInputs {
  readonly #root: string;
  readonly #now: () => number;

  /** @param root `<cache root>/images/inputs`; @param now ms since 1970 */
  constructor(root: string, now: () => number) {
    this.#root = root;
    this.#now = now;
  }

  /** Keeps a copy of a file. @throws Failure 'bad-image' when there is none, 'disk-full', 'file-access' */
  async keep(path: string): Promise<Digest> {
    const bytes = await readImageFile(path);
    const digest = digestOf(bytes);
    await this.keepBytes(digest, bytes);
    return digest;
  }

  /** Keeps bytes under their digest. @throws Failure 'disk-full', 'file-access' */
  async keepBytes(digest: Digest, bytes: Uint8Array): Promise<void> {
    const target = this.pathOf(digest);
    try {
      if (await this.#isTheSame(target, digest, bytes.length)) {
        const now = new Date(this.#now());
        await utimes(target, now, now);
      } else {
        await makeDirectoryDurably(join(target, '..'));
        await writeFileDurably(target, bytes);
      }
    } catch (error) {
      throw fileFailure(error, 'The input image cannot be kept.', target);
    }
  }

  /** Whether exactly these bytes lie there: what was damaged meanwhile is written again. */
  async #isTheSame(path: string, digest: Digest, bytes: number): Promise<boolean> {
    return (await isOfSize(path, bytes)) && this.isIntact(digest);
  }

  /** Where an input lies if it is kept. */
  pathOf(digest: Digest): string {
    return join(this.#root, 'sha256', digest.slice(0, 2), digest);
  }

  /** Whether an input is kept, and still is what it was. @throws Failure 'file-access' */
  async isIntact(digest: Digest): Promise<boolean> {
    const path = this.pathOf(digest);
    try {
      return (await exists(path)) && digestOf(await readImageFile(path)) === digest;
    } catch (error) {
      throw fileFailure(error, 'The input image cannot be read.', path);
    }
  }

  /** Removes inputs that no image was made from. @throws Failure 'file-access' */
  async removeAllBut(used: ReadonlySet<string>): Promise<void> {
    try {
      for (const folder of await entriesOf(join(this.#root, 'sha256'))) {
        for (const name of await entriesOf(join(this.#root, 'sha256', folder))) {
          if (!isDigest(name) || used.has(name)) continue;
          await this.#removeIfOld(this.pathOf(name));
        }
      }
    } catch (error) {
      throw fileFailure(error, 'Input images cannot be removed.', this.#root);
    }
  }

  async #removeIfOld(path: string): Promise<void> {
    try {
      if (this.#now() - (await stat(path)).mtimeMs > GRACE_MS) await rm(path, { force: true });
    } catch (error) {
      // Another process may be removing too.
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
  }
}

async function isOfSize(path: string, bytes: number): Promise<boolean> {
  try {
    return (await stat(path)).size === bytes;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    throw error;
  }
}
