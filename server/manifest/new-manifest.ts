import { byteText } from '../../shared/byte-text';
import type { Digest } from '../../shared/digest';
import { collisionKey } from '../../shared/file-name';
import { MOST_FILES } from '../../shared/manifest/source-manifest';
import type { Role } from '../../shared/roles';
import { likelyRole } from './fixes/likely-role';

/** A file that a new manifest may list. */
export interface FoundFile {
  /** Where it lies in its folder or repository, with `/`. */
  readonly path: string;
  readonly bytes: number;
}

/** A file that a new manifest lists. */
export interface DescribedFile extends FoundFile {
  readonly url: string;
  readonly sha256: Digest | undefined;
}

/** What a new manifest says besides its files. */
export interface NewManifestFacts {
  readonly name: string;
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
}

/** The text of a new manifest, and what its author should look at. */
export interface NewManifest {
  readonly text: string;
  /** Sentences. */
  readonly notes: readonly string[];
}

/** What weights are called. */
const WEIGHTS = /\.(safetensors|sft|gguf|ckpt|pt|pth|bin)$/i;

/** The files that hold weights, sorted by path; the others are no part of a model. At most as many as a manifest lists. */
export function weightsAmong<File extends FoundFile>(files: readonly File[]): readonly File[] {
  const weights = files.filter(({ path, bytes }) => WEIGHTS.test(path) && bytes > 0);
  return weights.toSorted((one, other) => (one.path < other.path ? -1 : 1)).slice(0, MOST_FILES);
}

/** Writes a manifest of files; what their names do not tell is left out and noted. */
export function newManifest(
  { name, source, revision }: NewManifestFacts,
  files: readonly DescribedFile[]
): NewManifest {
  const roles = likelyRoles(files);
  const names = plainNames(files);
  const entries = files.map(({ path, url, sha256, bytes }) => {
    const role = roles.get(path);
    return {
      ...(role !== undefined && { role }),
      url,
      filename: names.get(path),
      ...(sha256 !== undefined && { sha256 }),
      size_bytes: bytes
    };
  });
  const notes = files.flatMap(({ path, bytes, sha256 }) => [
    ...(roles.has(path) ? [] : [`The role of ${path} (${byteText(bytes)}) is not clear from its name; write it.`]),
    ...(sha256 === undefined ? [`Nobody declares a SHA-256 of ${path}.`] : [])
  ]);
  const manifest = {
    name,
    ...(source !== undefined && { source }),
    ...(revision !== undefined && { revision }),
    engine: 'sd-cpp',
    files: entries
  };
  return { text: `${JSON.stringify(manifest, null, 2)}\n`, notes };
}

const MAIN_ROLES: ReadonlySet<Role | undefined> = new Set(['model', 'diffusion_model', 'upscale_model']);

/** Of the files whose names tell nothing the largest is the model itself, unless another one is. */
function likelyRoles(files: readonly FoundFile[]): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const { path } of files) {
    const [name = '', folder = ''] = path.split('/').toReversed();
    const role = likelyRole(name) ?? likelyRole(folder);
    if (role) roles.set(path, role);
  }
  const unclear = files.filter(({ path }) => !roles.has(path)).toSorted((one, other) => other.bytes - one.bytes);
  const [largest] = unclear;
  const hasMain = [...roles.values()].some((role) => MAIN_ROLES.has(role));
  if (largest && !hasMain) roles.set(largest.path, roles.size === 0 ? 'model' : 'diffusion_model');
  return roles;
}

/** File names without folders; where two would be one file on some platform, with the folders in front. */
function plainNames(files: readonly FoundFile[]): ReadonlyMap<string, string> {
  const taken = new Map<string, number>();
  const plain = files.map(({ path }) => ({ path, name: path.split('/').at(-1) ?? path }));
  for (const { name } of plain) taken.set(collisionKey(name), (taken.get(collisionKey(name)) ?? 0) + 1);
  return new Map(
    plain.map(({ path, name }) => [path, taken.get(collisionKey(name)) === 1 ? name : path.replaceAll('/', '-')])
  );
}
