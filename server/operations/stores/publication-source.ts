import type { ModelName } from '../../../shared/model-name';
import { parseModelName } from '../../../shared/model-name';
import type { ObjectStore } from '../../artifacts/object-store';
import type { ArtifactFile } from '../../artifacts/publications/artifact-files';
import { badPublication } from '../../artifacts/publications/publication-fault';
import { fileKey } from '../../artifacts/publications/publication-keys';
import { publishedPointer, readAttemptFiles } from '../../artifacts/publications/read-publication';
import type { StoreKey } from '../../artifacts/store-key';
import type { Source } from '../../pull/source';
import type { PublicationOrigin } from '../../registry/registry-state';

/**
 * A file of a publication. When the publication was replaced since and is gone, the file is looked for in the present
 * one, by its digest.
 */
export function publicationSource(
  store: ObjectStore,
  { name, attempt }: PublicationOrigin,
  file: ArtifactFile
): Source {
  const owner = requireName(name);
  const key = fileKey(owner, attempt, file.name);
  const source = store.source(key);
  let found: Promise<Source> | undefined;
  const find = (signal: AbortSignal): Promise<Source> => {
    found ??= locate(store, { owner, attempt, file }, signal).then((place) => store.source(place));
    // What failed once may be there the next time.
    found.catch(() => {
      found = undefined;
    });
    return found;
  };
  const { label, identity, isLocal, clone } = source;
  return {
    label,
    identity,
    isLocal,
    open: async (request) => (await find(request.signal)).open(request),
    probe: async (signal) => (await find(signal)).probe(signal),
    ...(clone && { clone: async (target) => (await find(new AbortController().signal)).clone?.(target) })
  };
}

interface SoughtFile {
  readonly owner: ModelName;
  /** That the file was published with. */
  readonly attempt: string;
  readonly file: ArtifactFile;
}

async function locate(
  store: ObjectStore,
  { owner, attempt, file }: SoughtFile,
  signal: AbortSignal
): Promise<StoreKey> {
  const key = fileKey(owner, attempt, file.name);
  if (await store.head(key, signal)) return key;
  const present = await publishedPointer(store, owner, signal);
  const isReplaced = present.attempt !== attempt;
  const files = isReplaced ? await readAttemptFiles(store, owner, present.attempt, signal) : undefined;
  const same = files?.find(({ digest }) => digest === file.digest);
  if (same) return fileKey(owner, present.attempt, same.name);
  throw badPublication(
    store,
    key,
    `The store does not have this ${file.name} any more.`,
    'Fetch the model again to have what is published now.'
  );
}

function requireName(text: string): ModelName {
  const name = parseModelName(text);
  if (!name) throw new Error('the registry holds valid names only');
  return name;
}
