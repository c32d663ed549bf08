import type { ModelName } from '../../../shared/model-name';
import type { ObjectStore } from '../../artifacts/object-store';
import { badPublication } from '../../artifacts/publications/publication-fault';
import { fileKey } from '../../artifacts/publications/publication-keys';
import type { ReadPublication } from '../../artifacts/publications/read-publication';
import { MEDIA_EXTENSIONS } from '../../gallery/media-types';

/** The file of results that says which image is of which item. */
export const RESULTS_FILE = 'results.json';

const EXTENSIONS: ReadonlySet<string> = new Set([...MEDIA_EXTENSIONS, '.json']);

/**
 * Requires that the files of results are called as batches call them, so that whoever has them written into a folder
 * of their own gets nothing else there: no folders, no settings of other programs.
 * @throws Failure('bad-publication') that names the key
 */
export function requireResultFiles(store: ObjectStore, name: ModelName, { pointer, files }: ReadPublication): void {
  const other = files.find((file) => !isResultFile(file.name));
  if (!other) return;
  const key = fileKey(name, pointer.attempt, other.name);
  throw badPublication(store, key, `${other.name} is no file of the results of a batch.`, 'Publish the results again.');
}

function isResultFile(name: string): boolean {
  if (name === RESULTS_FILE) return true;
  const extension = /^\d{1,5}-[A-Za-z0-9._-]+-\d+(\.[a-z]+)$/.exec(name)?.[1];
  return extension !== undefined && EXTENSIONS.has(extension);
}
