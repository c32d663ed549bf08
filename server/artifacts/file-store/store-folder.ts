import type { BigIntStats } from 'node:fs';
import { lstat, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../../../shared/failure';
import {
  makeDirectoryDurably,
  removeAbandonedTemporaries,
  renamePatiently,
  syncDirectory,
  temporaryPath
} from '../../platform/durable-files';
import { isErrorWithCode } from '../../platform/system-error';

/** Where what is written waits until it is whole; no key begins with a dot. */
const INCOMING = '.incoming';

/** So often a folder is made again that a deletion elsewhere has found empty and removed. */
const ATTEMPTS = 100;

/**
 * The folder of a store. Whatever lies in it, nothing is read, written or removed outside: a link on the way is refused,
 * except for the root itself, which the user named.
 */
export class StoreFolder {
  #swept: Promise<unknown> | undefined;

  /** @param root absolute path; made with the first write */
  constructor(readonly root: string) {}

  /** @param names of files and folders, from the root on */
  pathOf(names: readonly string[]): string {
    return join(this.root, ...names);
  }

  /**
   * What lies at a path; undefined when there is nothing.
   * @throws Failure when it is a link, or lies behind one; system errors
   */
  async look(names: readonly string[]): Promise<BigIntStats | undefined> {
    for (let depth = 1; ; depth += 1) {
      const path = this.pathOf(names.slice(0, depth));
      const found = await lookAt(path);
      if (found?.isSymbolicLink()) throw linkInStore(path);
      if (found === undefined || depth === names.length) return found;
    }
  }

  /** The path of a new file or folder that waits in the store, and goes with this process at the latest. */
  async temporary(): Promise<string> {
    const folder = this.pathOf([INCOMING]);
    await this.#makeFolder([INCOMING]);
    // What cannot be removed is in nobody's way: it may be another user's.
    this.#swept ??= removeAbandonedTemporaries(folder).catch(() => undefined);
    await this.#swept;
    return temporaryPath(folder);
  }

  /** Gives a synced file that waits its name, in the place of what has it. @throws Failure, system errors */
  async publish(temporary: string, names: readonly string[]): Promise<void> {
    await this.makingFolder(names, async () => {
      const path = this.pathOf(names);
      const found = await this.look(names);
      if (found?.isDirectory()) throw inTheWay(path);
      await renamePatiently(temporary, path);
      await this.syncFolderOf(names);
    });
  }

  /** Makes the entry of a path last, or that there is none. */
  async syncFolderOf(names: readonly string[]): Promise<void> {
    try {
      await syncDirectory(dirname(this.pathOf(names)));
    } catch (error) {
      // It was the last of its folder, and somebody removed both.
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
  }

  /** Does something in the folder of a path, which is made, again if it is removed meanwhile because it was empty. */
  async makingFolder<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    const parents = names.slice(0, -1);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#makeFolder(parents);
        return await work();
      } catch (error) {
        if (!isErrorWithCode(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** Removes the folders of a path that are empty now. */
  async prune(names: readonly string[]): Promise<void> {
    for (let depth = names.length - 1; depth > 0; depth -= 1) {
      try {
        await rmdir(this.pathOf(names.slice(0, depth)));
      } catch (error) {
        if (isErrorWithCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'EPERM', 'EACCES')) return;
        throw error;
      }
    }
  }

  /** @throws Failure when something else is in the way */
  async #makeFolder(names: readonly string[]): Promise<void> {
    const path = this.pathOf(names);
    if (names.length > 0) await this.look(names);
    try {
      await makeDirectoryDurably(path);
    } catch (error) {
      if (isErrorWithCode(error, 'EEXIST', 'ENOTDIR')) throw inTheWay(path);
      throw error;
    }
  }
}

async function lookAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function linkInStore(path: string): Failure {
  return new Failure('file-access', 'In the folder of the store lies a link, which is not followed.', {
    subject: path,
    nextStep: 'Remove the link, or put what it leads to in its place.'
  });
}

function inTheWay(path: string): Failure {
  return new Failure('file-access', 'In the folder of the store, something else is in the way.', {
    subject: path,
    nextStep: 'Move it out of the folder of the store, then try again.'
  });
}
