import type { ObjectStore } from '../../../server/artifacts/object-store';
import { fileKey } from '../../../server/artifacts/publications/publication-keys';
import { type PublishedArtifact, publishArtifact } from '../../../server/artifacts/publications/publish-artifact';
import { readPublication } from '../../../server/artifacts/publications/read-publication';
import type { ArtifactContent } from '../../../server/artifacts/publications/upload-attempt';
import { Failure } from '../../../shared/failure';
import { digestOf } from '../sample-bundle';
import { LIMIT, signal } from './store-under-test';
import { TINY } from './team';

/** The files of a version: one is the same in all, one differs, and every other version has one more. */
function filesOf(version: number): ReadonlyMap<string, Buffer> {
  const files = new Map([
    ['shared.gguf', Buffer.alloc(3000, 's')],
    ['parts/weights.gguf', Buffer.alloc(2000 + version, `version ${version} `)]
  ]);
  if (version % 2 === 1) files.set('vae.safetensors', Buffer.from(`vae ${version}`));
  return files;
}

/** What a version is published as. */
export function contentsOf(version: number): readonly ArtifactContent[] {
  return [...filesOf(version)].map(([name, bytes]) => ({
    name,
    digest: digestOf(bytes),
    bytes: bytes.length,
    content: { kind: 'bytes', bytes }
  }));
}

/** Publishes a version of the team's model. */
export function publishVersion(store: ObjectStore, version: number): Promise<PublishedArtifact> {
  return publishArtifact(store, TINY, contentsOf(version), {
    holds: 'model',
    now: Date.now,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    signal,
    onProgress: () => undefined
  });
}

/**
 * The version that is published, every byte of it read.
 * @returns undefined when nothing is published
 * @throws Error for anything that is not exactly one version
 */
export async function publishedVersion(store: ObjectStore): Promise<number | undefined> {
  const read = await readPublication(store, TINY, { signal }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'not-published') return undefined;
    throw error;
  });
  if (!read) return undefined;
  const found = new Map<string, Buffer>();
  for (const { name } of read.files) {
    const content = await store.read(fileKey(TINY, read.pointer.attempt, name), { signal, limit: LIMIT });
    found.set(name, Buffer.from(content?.bytes ?? []));
  }
  const size = found.get('parts/weights.gguf')?.length ?? 0;
  const version = size - 2000;
  const expected = filesOf(version);
  const isWhole =
    found.size === expected.size && [...expected].every(([name, bytes]) => found.get(name)?.equals(bytes) === true);
  if (!isWhole) throw new Error(`no version: ${[...found.keys()].join()}`);
  return version;
}

/** Every key of a store but those of documents, sorted. */
export async function objectKeys(store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(null, signal)) if (!/(_current|_dock\/index)\.json$/.test(key)) keys.push(key);
  return keys.toSorted();
}
