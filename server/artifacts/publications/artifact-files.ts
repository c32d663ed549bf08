import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../../../shared/digest';
import { pathConflict } from '../../../shared/file-name';
import { artifactManifest } from '../../../shared/manifest/artifact-manifest';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { badPublication, parseJson } from './publication-fault';

/** One file of an artifact. */
export interface ArtifactFile {
  /** With `/` between folders. */
  readonly name: string;
  readonly digest: Digest;
  /** Size in bytes, or null where the manifest does not tell. */
  readonly bytes: number | null;
}

/** Sorts by the bytes of the names in UTF-8: the order of manifests and of {@link combinedHash}. */
export function sortedByName<File extends { readonly name: string }>(files: readonly File[]): readonly File[] {
  return files.toSorted((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
}

/** Equal for artifacts of the same files: SHA-256 over `name NUL sha256 NUL` of each, sorted by name. */
export function combinedHash(files: readonly ArtifactFile[]): Digest {
  const hash = createHash('sha256');
  for (const { name, digest } of sortedByName(files)) hash.update(`${name}\0${digest}\0`);
  const combined = parseDigest(hash.digest('hex'));
  if (!combined) throw new Error('a SHA-256 is one');
  return combined;
}

/** The text of an artifact's manifest. */
export function artifactManifestText(files: readonly ArtifactFile[]): string {
  const entries = sortedByName(files).map(({ name, digest, bytes }) => ({
    name,
    sha256: digest,
    ...(bytes !== null && { size_bytes: bytes })
  }));
  return `${JSON.stringify({ files: entries }, null, 2)}\n`;
}

/**
 * Reads the manifest of an artifact.
 * @param key for failures
 * @throws Failure('bad-publication') for anything but a list of names that are safe together on every platform
 */
export function readArtifactManifest(
  store: Pick<ObjectStore, 'label'>,
  key: StoreKey,
  bytes: Uint8Array
): readonly ArtifactFile[] {
  const parsed = artifactManifest.safeParse(parseJson(store, key, bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw badPublication(store, key, `The manifest is not one of an artifact: ${where} ${issue?.message ?? ''}`.trim());
  }
  const { files } = parsed.data;
  if (files.length > MOST_FILES) {
    throw badPublication(store, key, `The manifest lists ${files.length} files; a model has at most ${MOST_FILES}.`);
  }
  const conflict = pathConflict(files.map(({ name }) => name));
  if (conflict) {
    const { path, twin } = conflict;
    throw badPublication(store, key, `The manifest lists ${path} and ${twin}, which some platforms take for one.`);
  }
  return files.map(({ name, sha256, size_bytes }) => ({ name, digest: sha256, bytes: size_bytes ?? null }));
}
