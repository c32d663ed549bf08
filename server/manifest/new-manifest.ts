import { byteText } from '../../shared/byte-text';
import type { Digest } from '../../shared/digest';
import { collisionKey, replaceInvisible } from '../../shared/file-name';
import type { Role } from '../../shared/roles';
import { isWeightsName } from '../weights/weights-name';
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
  /** Of the model. */
  readonly name: string;
  readonly text: string;
  /** Sentences. */
  readonly notes: readonly string[];
}

/** The files that hold weights, sorted by path; the others are no part of a model. */
export function weightsAmong<File extends FoundFile>(files: readonly File[]): readonly File[] {
  const weights = files.filter(({ path, bytes }) => isWeightsName(path) && bytes > 0);
  return weights.toSorted((one, other) => (one.path < other.path ? -1 : 1));
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
  return { name, text: `${visibleJson(manifest)}\n`, notes };
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

/**
 * File names without folders; where two would be one file on some platform, with the folders in front, and with a
 * number where that is another's name already.
 */
function plainNames(files: readonly FoundFile[]): ReadonlyMap<string, string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const { path } of files) {
    const key = collisionKey(lastSegment(path));
    if (seen.has(key)) shared.add(key);
    seen.add(key);
  }
  const isAlone = ({ path }: FoundFile): boolean => !shared.has(collisionKey(lastSegment(path)));
  const names = new FreeNames();
  const alone = files.filter(isAlone).map(({ path }) => [path, names.take(lastSegment(path))] as const);
  const others = files.filter((file) => !isAlone(file));
  return new Map([...alone, ...others.map(({ path }) => [path, names.take(path.replaceAll('/', '-'))] as const)]);
}

/** Gives each name once. */
class FreeNames {
  private readonly taken = new Set<string>();
  /** Numbers that were tried: whoever has many names alike does not try each again. */
  private readonly numbers = new Map<string, number>();

  take(name: string): string {
    let free = name;
    while (this.taken.has(collisionKey(free))) {
      const number = (this.numbers.get(collisionKey(name)) ?? 1) + 1;
      this.numbers.set(collisionKey(name), number);
      free = name.replace(/(\.[^.]*)?$/, `-${number}$1`);
    }
    this.taken.add(collisionKey(free));
    return free;
  }
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** JSON that says in escapes what would move or hide other text: names are whatever their publisher chose. */
function visibleJson(value: unknown): string {
  return replaceInvisible(JSON.stringify(value, null, 2), (character) =>
    character === '\n' ? character : escaped(character)
  );
}

/** @param character of one UTF-16 unit or two */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
