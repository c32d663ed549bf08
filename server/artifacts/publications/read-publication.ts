import { createHash } from 'node:crypto';
import type { Digest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import { LARGEST_MANIFEST_BYTES } from '../../../shared/manifest/source-manifest';
import type { ModelName } from '../../../shared/model-name';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { type ArtifactFacts, LARGEST_FACTS_BYTES, readFacts } from './artifact-facts';
import { type ArtifactFile, combinedHash, readArtifactManifest } from './artifact-files';
import { type PublishedPointer, readPointer } from './pointer';
import { badPublication } from './publication-fault';
import { FACTS_FILE, fileKey, MANIFEST_FILE } from './publication-keys';

/** What a publication consists of, proved to be what its pointer promises. */
export interface ReadPublication {
  readonly pointer: PublishedPointer;
  /** The files of the model. */
  readonly files: readonly ArtifactFile[];
  /** What the publication says of them; undefined where it says nothing. */
  readonly facts: ArtifactFacts | undefined;
  /** Its small files as they are, by name: the manifest, and the facts where there are any. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

export interface ReadPublicationOptions {
  readonly signal: AbortSignal;
  /** A document of the artifact of a combined hash that lies here already; what it says is checked all the same. */
  readonly local?: ((combined: Digest, file: string) => Promise<Uint8Array | undefined>) | undefined;
}

/**
 * Reads what is published under a name: exactly what the pointer of one moment says, never a listing.
 * @throws Failure 'not-published', 'bad-publication' with the key
 */
export async function readPublication(
  store: ObjectStore,
  name: ModelName,
  { signal, local }: ReadPublicationOptions
): Promise<ReadPublication> {
  let pointer = await publishedPointer(store, name, signal);
  for (;;) {
    const read = await readDocuments(store, name, pointer, { signal, local });
    if ('pointer' in read) return read;
    // What is not there any more may have been withdrawn a moment ago.
    const now = await publishedPointer(store, name, signal);
    if (now.attempt === pointer.attempt) {
      throw badPublication(store, read.missing, 'A file of the publication is missing from the store.');
    }
    pointer = now;
  }
}

/** What is published under a name now. @throws Failure('not-published') */
export async function publishedPointer(
  store: ObjectStore,
  name: ModelName,
  signal: AbortSignal
): Promise<PublishedPointer> {
  const found = await readPointer(store, name, signal);
  if (found?.pointer.kind === 'published') return found.pointer;
  throw new Failure('not-published', `Nothing is published as ${name}.`, {
    subject: `${store.label}/${name}`,
    nextStep: 'Check the name and the store; "diffusion-dock store list" says what there is.'
  });
}

/** The files of an attempt as its manifest lists them; undefined when the manifest is not there. */
export async function readAttemptFiles(
  store: ObjectStore,
  name: ModelName,
  attempt: string,
  signal: AbortSignal
): Promise<readonly ArtifactFile[] | undefined> {
  const key = fileKey(name, attempt, MANIFEST_FILE);
  const found = await store.read(key, { signal, limit: LARGEST_MANIFEST_BYTES });
  return found && readArtifactManifest(store, key, found.bytes);
}

async function readDocuments(
  store: ObjectStore,
  name: ModelName,
  pointer: PublishedPointer,
  { signal, local }: ReadPublicationOptions
): Promise<ReadPublication | { readonly missing: StoreKey }> {
  const { attempt, combined } = pointer;
  /** What lies here counts only when it is right; else the store is asked. */
  const read = async <T>(file: string, limit: number, check: (bytes: Uint8Array, key: StoreKey) => T) => {
    const key = fileKey(name, attempt, file);
    const here = await local?.(combined, file);
    const known = here && attempted(() => check(here, key));
    if (here && known !== undefined) return { key, bytes: here, value: known };
    const found = await store.read(key, { signal, limit });
    return found ? { key, bytes: found.bytes, value: check(found.bytes, key) } : { key };
  };
  const manifest = await read(MANIFEST_FILE, LARGEST_MANIFEST_BYTES, (bytes, key) =>
    listedFiles(store, key, bytes, combined)
  );
  if (!manifest.bytes) return { missing: manifest.key };
  const files = manifest.value.filter((file) => file.name !== FACTS_FILE);
  const documents = new Map([[MANIFEST_FILE, manifest.bytes]]);
  const entry = manifest.value.find((file) => file.name === FACTS_FILE);
  if (!entry) return { pointer, files, facts: undefined, documents };
  const facts = await read(FACTS_FILE, LARGEST_FACTS_BYTES, (bytes, key) => {
    requireDigest(store, key, bytes, entry.digest);
    return readFacts(store, key, bytes);
  });
  if (!facts.bytes) return { missing: facts.key };
  documents.set(FACTS_FILE, facts.bytes);
  return { pointer, files, facts: facts.value, documents };
}

/** @returns undefined when it fails as expected */
function attempted<T>(check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function listedFiles(store: ObjectStore, key: StoreKey, bytes: Uint8Array, combined: Digest): readonly ArtifactFile[] {
  const listed = readArtifactManifest(store, key, bytes);
  const actual = combinedHash(listed);
  if (actual !== combined) {
    const what = `its files make ${actual} together, not ${combined}`;
    throw badPublication(store, key, `The manifest is not the one that was published: ${what}.`);
  }
  if (listed.some((file) => file.name !== FACTS_FILE)) return listed;
  throw badPublication(store, key, 'The publication has no files.');
}

function requireDigest(store: ObjectStore, key: StoreKey, bytes: Uint8Array, digest: Digest): void {
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === digest) return;
  throw badPublication(store, key, `This is not what was published: its SHA-256 is ${actual}, not ${digest}.`);
}
