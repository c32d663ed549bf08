import { join } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { ObjectStore } from '../../artifacts/object-store';
import type { ArtifactFile } from '../../artifacts/publications/artifact-files';
import { badPublication } from '../../artifacts/publications/publication-fault';
import { fileKey } from '../../artifacts/publications/publication-keys';
import { type ReadPublication, readPublication } from '../../artifacts/publications/read-publication';
import type { StoreKey } from '../../artifacts/store-key';
import { digestOf } from '../../gallery/incoming-image';
import { makeDirectoryDurably } from '../../platform/durable-files';
import { fileFailure } from '../../platform/system-error';
import { exportFile } from '../gallery/exported-file';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { openStore } from './open-store';
import { publicationName } from './publication-name';
import { RESULTS_FILE, requireResultFiles } from './result-files';

/** The largest file of results that is read, in bytes: as large as an image of the gallery may be. */
const LARGEST_FILE = 512 * 1024 * 1024;

export interface FetchResultsParams {
  readonly name: string;
  /** A name of the settings, or an address. */
  readonly store: string;
  /** Absolute; made if need be. */
  readonly folder: string;
}

export interface FetchResultsOptions {
  readonly signal: AbortSignal;
  /** Files that lie in the folder by now. */
  readonly onProgress: (files: number, total: number) => void;
}

/** What a fetch of results came to. */
export interface FetchedResults {
  readonly name: string;
  readonly folder: string;
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
}

/**
 * Writes published results of a batch into a folder: exactly the files of the manifest, each proved before it is
 * written, the one that lists them last. What is there under such a name is replaced unless it is the file.
 * @throws Failure: 'not-published', 'bad-publication' with the key, 'bad-request' for a model
 */
export async function fetchResults(
  services: Services,
  { name: text, store: named, folder }: FetchResultsParams,
  { signal, onProgress }: FetchResultsOptions
): Promise<FetchedResults> {
  requireTrust(services, 'Fetching results');
  const name = publicationName(text);
  const store = await openStore(services, named);
  const read = await readPublication(store, name, { signal });
  requireResults(read, named);
  requireResultFiles(store, name, read);
  const { files, pointer } = read;
  try {
    await makeDirectoryDurably(folder);
    for (const [index, file] of listLast(files).entries()) {
      const key = fileKey(name, pointer.attempt, file.name);
      await exportFile(join(folder, file.name), file.digest, () => readProved(store, key, file, signal));
      onProgress(index + 1, files.length);
    }
  } catch (error) {
    throw fileFailure(error, 'The results cannot be written there.', folder);
  }
  return { name: pointer.name, folder, files: files.length, bytes: pointer.bytes };
}

function requireResults({ pointer: { name, holds } }: ReadPublication, store: string): void {
  if (holds === 'results') return;
  throw new Failure('bad-request', `What is published as ${name} is a model, not the results of a batch.`, {
    subject: name,
    nextStep: `Install it with: diffusion-dock fetch ${name} --store ${store}`
  });
}

function listLast(files: readonly ArtifactFile[]): readonly ArtifactFile[] {
  return files.toSorted((one, other) => Number(one.name === RESULTS_FILE) - Number(other.name === RESULTS_FILE));
}

async function readProved(
  store: ObjectStore,
  key: StoreKey,
  { digest }: ArtifactFile,
  signal: AbortSignal
): Promise<Uint8Array> {
  const found = await store.read(key, { signal, limit: LARGEST_FILE });
  if (found && digestOf(found.bytes) === digest) return found.bytes;
  const message = found ? 'This is not what was published.' : 'A file of the results is missing from the store.';
  throw badPublication(store, key, message, 'Publish the results again.');
}
