import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { collisionKey } from '../../shared/file-name';
import {
  type InstalledFile,
  type InstalledManifest,
  installedManifest
} from '../../shared/manifest/installed-manifest';
import { LARGEST_MANIFEST_BYTES } from '../../shared/manifest/source-manifest';
import { isErrorWithCode } from '../platform/system-error';
import { BUNDLE_MANIFEST } from './cache-layout';
import type { Proof, Proofs } from './proofs';

/** One file of a bundle as a stat sees it, with what is remembered of its bytes. */
export interface BundleFileState {
  readonly file: InstalledFile;
  /** What is wrong, a predicate after the file's path; undefined when nothing is known to be. */
  readonly problem: string | undefined;
  /** When its bytes were read and found right, in ms since the epoch; absent when that is not known. */
  readonly provedAt?: number;
}

/** A bundle as a quick look sees it: existence, sizes, and what is remembered of digests; nothing is read. */
export type BundleState =
  | { readonly kind: 'absent' }
  /** The folder is there, but its manifest tells nothing. */
  | {
      readonly kind: 'unreadable';
      readonly problem: string /** It may be read by a later version. */;
      readonly isNewer?: true;
    }
  | {
      readonly kind: 'present';
      readonly manifest: InstalledManifest;
      readonly files: readonly BundleFileState[];
      /** What lies in the folder without belonging there, one sentence each. */
      readonly extras: readonly string[];
      /** Everything that is wrong, one sentence each; empty for a sound bundle. */
      readonly problems: readonly string[];
    };

/** What is remembered of files that were read. */
export type KnownProofs = Pick<Proofs, 'find'>;

/**
 * Looks at a bundle's folder with one stat per file.
 * @param folder absolute path
 * @param proofs what is remembered of the bytes; left out by whoever asks for existence and sizes alone
 */
export async function assessBundleFolder(folder: string, proofs?: KnownProofs): Promise<BundleState> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'absent' };
    return { kind: 'unreadable', problem: 'The folder cannot be read.' };
  }
  const manifest = await readInstalledManifest(join(folder, BUNDLE_MANIFEST));
  if (typeof manifest === 'string') {
    return { kind: 'unreadable', problem: manifest, ...(manifest === NEWER && { isNewer: true }) };
  }
  const files = await Promise.all(manifest.files.map((file) => fileState(folder, file, proofs)));
  const broken = files.flatMap(({ file, problem }) => (problem === undefined ? [] : [`${file.path} ${problem}.`]));
  const extras = extraFiles(folder, entries, manifest);
  return { kind: 'present', manifest, files, extras, problems: [...broken, ...extras] };
}

const NEWER = 'manifest.json needs a newer version of Diffusion Dock; update to use the model.';

/** @returns the manifest, or a sentence that says why it cannot be used */
async function readInstalledManifest(path: string): Promise<InstalledManifest | string> {
  let text: string;
  try {
    const found = await lstat(path);
    // Reading a pipe or a device in its place would never end.
    if (!found.isFile()) return 'manifest.json is not a file.';
    if (found.size > LARGEST_MANIFEST_BYTES) return 'manifest.json is too large to be ours.';
    text = await readFile(path, 'utf8');
  } catch (error) {
    return isErrorWithCode(error, 'ENOENT') ? 'manifest.json is missing.' : 'manifest.json cannot be read.';
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'manifest.json is not JSON.';
  }
  if (isOfNewerFormat(value)) return NEWER;
  const parsed = installedManifest.safeParse(value);
  if (parsed.success) return repeatedFile(parsed.data) ?? parsed.data;
  const [issue] = parsed.error.issues;
  return (
    `manifest.json does not follow the schema: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd() + '.'
  );
}

/** Whether a manifest's `$schema` names a later version of the format than this code knows. */
function isOfNewerFormat(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('$schema' in value)) return false;
  const version = /diffusion-dock\.installed\.v(\d+)\.schema\.json(?:[?#].*)?$/.exec(String(value.$schema))?.[1];
  return version !== undefined && version !== '1';
}

/** @returns a sentence when one file is listed twice, so that nobody could tell which content it should have */
function repeatedFile({ files }: InstalledManifest): string | undefined {
  const seen = new Set<string>();
  const repeated = files.find(({ path }) => seen.size === seen.add(collisionKey(path)).size);
  return repeated && `manifest.json lists ${repeated.path} more than once.`;
}

async function fileState(folder: string, file: InstalledFile, proofs?: KnownProofs): Promise<BundleFileState> {
  try {
    const found = await lstat(join(folder, file.path), { bigint: true });
    const problem = shapeProblem(file, found);
    const proof = problem === undefined ? proofs?.find(found) : undefined;
    return proof ? { file, ...digestState(file, proof) } : { file, problem };
  } catch (error) {
    const isGone = isErrorWithCode(error, 'ENOENT', 'ENOTDIR');
    return { file, problem: isGone ? 'is missing' : 'cannot be read' };
  }
}

function shapeProblem({ size_bytes }: InstalledFile, found: BigIntStats): string | undefined {
  if (found.isSymbolicLink()) return 'is a symbolic link';
  if (!found.isFile()) return 'is not a file';
  return found.size === BigInt(size_bytes) ? undefined : `has ${found.size} bytes instead of ${size_bytes}`;
}

function digestState({ sha256 }: InstalledFile, { digest, readAt }: Proof): Omit<BundleFileState, 'file'> {
  if (digest === sha256) return { problem: undefined, provedAt: readAt };
  return { problem: `is damaged: its SHA-256 is ${digest} instead of ${sha256}` };
}

function extraFiles(folder: string, entries: readonly Dirent[], manifest: InstalledManifest): string[] {
  const known = new Set([BUNDLE_MANIFEST, ...manifest.files.map(({ path }) => path)]);
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return [];
    const path = relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
    return known.has(path) ? [] : [`${path} does not belong to the model.`];
  });
}
