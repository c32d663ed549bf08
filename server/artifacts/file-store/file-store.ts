import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cancelled, Failure } from '../../../shared/failure';
import { renameIfThere, syncDirectory } from '../../platform/durable-files';
import type { Hasher } from '../../platform/hasher';
import { errorCode, fileFailure, isErrorWithCode } from '../../platform/system-error';
import type { Source } from '../../pull/source';
import { objectTooLarge } from '../object-failures';
import type {
  ListedObject,
  ObjectContent,
  ObjectFacts,
  ObjectStore,
  PutOptions,
  ReadContent,
  ReadOptions
} from '../object-store';
import type { StoreKey } from '../store-key';
import { newestGeneration, writeNext } from './document-folder';
import { documentFolderOf, fileNameOf } from './file-names';
import { listFolder } from './list-folder';
import { readPlainFile, requirePlainFile, versionOf } from './plain-file';
import { StoreFolder } from './store-folder';
import { storedFileSource } from './stored-file-source';
import { linkOrCopy, writeContent } from './write-content';

/**
 * A store in a folder of this machine or of a shared volume. An object is a plain file; a document is a folder of
 * numbered generations, the newest of which counts. What is written waits in `.incoming` until it is whole and synced.
 */
export class FileStore implements ObjectStore {
  readonly #folder: StoreFolder;
  readonly #hasher: Hasher;

  /**
   * @param root absolute path; made with the first write
   * @param hasher for what is put from files: it gets its name once it was hashed as it lies there
   */
  constructor(root: string, hasher: Hasher) {
    this.#folder = new StoreFolder(root);
    this.#hasher = hasher;
  }

  get label(): string {
    return this.#folder.root;
  }

  put(key: StoreKey, content: ObjectContent, options: PutOptions): Promise<ObjectFacts> {
    return this.#writing(options.signal, async (temporary) => {
      const facts = await writeContent(content, temporary, { ...options, hasher: this.#hasher });
      await this.#folder.publish(temporary, namesOf(key));
      return facts;
    });
  }

  head(key: StoreKey, signal: AbortSignal): Promise<ObjectFacts | undefined> {
    return this.#attempt('The store cannot be read.', signal, () => this.#find(key));
  }

  read(key: StoreKey, { signal, limit }: ReadOptions): Promise<ReadContent | undefined> {
    return this.#attempt('The store cannot be read.', signal, async () => {
      if ((await this.#find(key)) === undefined) return undefined;
      return this.#readFile(key, this.#folder.pathOf(namesOf(key)), limit);
    });
  }

  source(key: StoreKey, facts?: ObjectFacts): Source {
    const path = this.#folder.pathOf(namesOf(key));
    const find = (): Promise<ObjectFacts | undefined> => this.#find(key);
    return storedFileSource({ label: this.label, key, path, find, facts });
  }

  readonly locate = async (key: StoreKey): Promise<string | undefined> => {
    const found = await this.#attempt('The store cannot be read.', undefined, () => this.#find(key));
    return found && this.#folder.pathOf(namesOf(key));
  };

  async copy(from: StoreKey, to: StoreKey, signal: AbortSignal): Promise<boolean> {
    return this.#writing(signal, async (temporary) => {
      if ((await this.#find(from)) === undefined) return false;
      const isThere = await linkOrCopy(this.#folder.pathOf(namesOf(from)), temporary, signal);
      if (isThere) await this.#folder.publish(temporary, namesOf(to));
      return isThere;
    });
  }

  delete(key: StoreKey, signal: AbortSignal): Promise<void> {
    return this.#attempt('The store cannot be written.', signal, async () => {
      const names = namesOf(key);
      if ((await this.#find(key)) === undefined) return;
      await rm(this.#folder.pathOf(names), { force: true });
      await this.#settleRemoval(names);
    });
  }

  async *list(below: StoreKey | null, signal: AbortSignal): AsyncIterable<ListedObject> {
    try {
      yield* listFolder(this.#folder, below, signal);
    } catch (error) {
      throw fileFailure(error, 'The store cannot be read.', this.label);
    }
  }

  readDocument(key: StoreKey, { signal, limit }: ReadOptions): Promise<ReadContent | undefined> {
    return this.#attempt('The store cannot be read.', signal, async () => {
      const names = documentNamesOf(key);
      for (;;) {
        if ((await this.#folder.look(names)) === undefined) return undefined;
        const newest = await newestGeneration(this.#folder.pathOf(names));
        if (newest === undefined) return undefined;
        const content = await this.#readFile(key, newest.path, limit);
        // Newer ones were written meanwhile.
        if (content === undefined) continue;
        return { bytes: content.bytes, version: `${newest.number}.${content.version}` };
      }
    });
  }

  swapDocument(
    key: StoreKey,
    bytes: Uint8Array,
    previous: string | null,
    signal: AbortSignal
  ): Promise<string | undefined> {
    return this.#attempt('The store cannot be written.', signal, async () => {
      const names = documentNamesOf(key);
      const folder = this.#folder.pathOf(names);
      await this.#folder.look(names);
      if (previous === null) return this.#folder.makingFolder([...names, ''], () => writeNext(folder, bytes, null));
      try {
        return await writeNext(folder, bytes, previous);
      } catch (error) {
        // It was deleted meanwhile.
        if (isErrorWithCode(error, 'ENOENT')) return undefined;
        throw error;
      }
    });
  }

  deleteDocument(key: StoreKey, signal: AbortSignal): Promise<void> {
    return this.#writing(signal, async (grave) => {
      const names = documentNamesOf(key);
      if ((await this.#folder.look(names)) === undefined) return;
      // Moved away as a whole: whoever is about to write the next generation finds nothing to write to.
      if (!(await renameIfThere(this.#folder.pathOf(names), grave))) return;
      await syncDirectory(dirname(grave));
      await this.#settleRemoval(names);
    });
  }

  async #settleRemoval(names: readonly string[]): Promise<void> {
    await this.#folder.syncFolderOf(names);
    await this.#folder.prune(names);
  }

  async #find(key: StoreKey): Promise<ObjectFacts | undefined> {
    const names = namesOf(key);
    const found = await this.#folder.look(names);
    if (found === undefined || found.isDirectory()) return undefined;
    requirePlainFile(found, this.#folder.pathOf(names));
    return { bytes: Number(found.size), version: versionOf(found) };
  }

  /** @returns undefined when it is gone */
  async #readFile(key: StoreKey, path: string, limit: number): Promise<ReadContent | undefined> {
    try {
      const file = await readPlainFile(path, limit);
      if (file === undefined) throw objectTooLarge(this.label, key, limit);
      return { bytes: file.bytes, version: versionOf(file.found) };
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Does something with a path for what is not whole yet; what is left there afterwards is removed. */
  #writing<T>(signal: AbortSignal, work: (temporary: string) => Promise<T>): Promise<T> {
    return this.#attempt('The store cannot be written.', signal, async () => {
      const temporary = await this.#folder.temporary();
      try {
        return await work(temporary);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    });
  }

  async #attempt<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (signal?.aborted) throw cancelled('The work in the store');
    try {
      return await work();
    } catch (error) {
      throw error instanceof Failure || errorCode(error) === undefined ? error : fileFailure(error, what, this.label);
    }
  }
}

function namesOf(key: StoreKey): readonly string[] {
  return key.split('/').map(fileNameOf);
}

function documentNamesOf(key: StoreKey): readonly string[] {
  const segments = key.split('/');
  return [...segments.slice(0, -1).map(fileNameOf), documentFolderOf(segments.at(-1) ?? '')];
}
