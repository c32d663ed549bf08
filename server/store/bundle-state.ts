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
import { isFolderLitter } from '../platform/folder-litter';
import { lookAtFiles } from '../platform/look-at-files';
import { isErrorWithCode } from '../platform/system-error';
import { BUNDLE_MANIFEST } from './cache-layout';
import type { Proof, Proofs } from './proofs';

/** One file of a bundle as a stat sees it, with what is remembered of its bytes. */
export interface BundleFileState {
  readonly file: InstalledFile;
  /** What is wrong, a predicate after the file's path; undefined when nothing is known to be. */
  readonly problem: string | undefined;
  /** Set when the problem is that nobody was let look: the file may be right. */
  readonly isInaccessible?: true;
  /** What its bytes were when they were read in the state that it is in; absent when that is not remembered. */
  readonly reading?: Proof;
  /** When its bytes were read and found right, in ms since the epoch; absent when that is not known. */
  readonly provedAt?: number;
}

/** A bundle as a quick look sees it: existence, sizes, and what is remembered of digests; nothing is read. */
export type BundleState =
  | { readonly kind: 'absent' }
  /** The folder is there, but its manifest tells nothing. */
  | {
      readonly kind: 'unreadable';
      /** One sentence. */
      readonly problem: string;
      /** `newer`: a later version may read it. `inaccessible`: nobody was let look, it may be right. */
      readonly why: 'damaged' | 'newer' | 'inaccessible';
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
    return unreadable('The folder cannot be read.', whyUnreadable(error));
  }
  if (await isLink(folder)) {
    return unreadable("The folder is a link that leaves the models' folder.");
  }
  const reading = await readInstalledManifest(join(folder, BUNDLE_MANIFEST));
  if (reading.kind === 'unreadable') return reading;
  const { manifest } = reading;
  const paths = entries.flatMap((entry) => (entry.isDirectory() ? [] : { entry, path: pathWithin(folder, entry) }));
  const links = paths.flatMap(({ entry, path }) => (entry.isSymbolicLink() ? path : []));
  const files = await fileStates(folder, manifest, links, proofs);
  const broken = files.flatMap(({ file, problem }) => (problem === undefined ? [] : [`${file.path} ${problem}.`]));
  const extras = extraFiles(
    paths.map(({ path }) => path),
    manifest,
    links
  );
  return { kind: 'present', manifest, files, extras, problems: [...broken, ...extras] };
}

type UnreadableBundle = Extract<BundleState, { kind: 'unreadable' }>;

/** What cannot be had although nothing says that it is damaged may be had by somebody else, or later. */
function whyUnreadable(error: unknown): UnreadableBundle['why'] {
  return isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EIO') ? 'damaged' : 'inaccessible';
}

function unreadable(problem: string, why: UnreadableBundle['why'] = 'damaged'): UnreadableBundle {
  return { kind: 'unreadable', problem, why };
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;
}

const NEWER = 'manifest.json needs a newer version of Diffusion Dock; update to use the model.';

interface ManifestReading {
  readonly kind: 'read';
  readonly manifest: InstalledManifest;
}

/** @returns the manifest, or why it cannot be used */
async function readInstalledManifest(path: string): Promise<ManifestReading | UnreadableBundle> {
  let text: string;
  try {
    const found = await lstat(path);
    // Reading a pipe or a device in its place would never end.
    if (!found.isFile()) return unreadable('manifest.json is not a file.');
    if (found.size > LARGEST_MANIFEST_BYTES) return unreadable('manifest.json is too large to be ours.');
    text = await readFile(path, 'utf8');
  } catch (error) {
    const isGone = isErrorWithCode(error, 'ENOENT');
    return unreadable(`manifest.json ${isGone ? 'is missing' : 'cannot be read'}.`, whyUnreadable(error));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable('manifest.json is not JSON.');
  }
  if (isOfNewerFormat(value)) return unreadable(NEWER, 'newer');
  const parsed = installedManifest.safeParse(value);
  if (parsed.success) {
    const repeated = repeatedFile(parsed.data);
    return repeated === undefined ? { kind: 'read', manifest: parsed.data } : unreadable(repeated);
  }
  const [issue] = parsed.error.issues;
  const finding = `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd();
  return unreadable(`manifest.json does not follow the schema: ${finding}.`);
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

async function fileStates(
  folder: string,
  { files }: InstalledManifest,
  links: readonly string[],
  proofs?: KnownProofs
): Promise<readonly BundleFileState[]> {
  const found = await lookAtFiles(files.map(({ path }) => join(folder, path)));
  return files.map((file, index) => {
    const link = links.find((path) => file.path.startsWith(`${path}/`));
    if (link !== undefined) return { file, problem: `lies behind ${link}, which ${LEAVES}` };
    return fileState(file, found[index], proofs);
  });
}

function fileState(
  file: InstalledFile,
  found: BigIntStats | Error | undefined,
  proofs: KnownProofs | undefined
): BundleFileState {
  if (found === undefined || isErrorWithCode(found, 'ENOENT', 'ENOTDIR')) return { file, problem: 'is missing' };
  if (found instanceof Error) {
    const isInaccessible = whyUnreadable(found) === 'inaccessible';
    return { file, problem: 'cannot be read', ...(isInaccessible && { isInaccessible }) };
  }
  const problem = shapeProblem(file, found);
  const reading = problem === undefined ? proofs?.find(found) : undefined;
  return reading ? { file, reading, ...digestState(file, reading) } : { file, problem };
}

/** Predicate of a link in the place of a folder. */
const LEAVES = "is a link that leaves the model's folder";

function shapeProblem({ size_bytes }: InstalledFile, found: BigIntStats): string | undefined {
  if (found.isSymbolicLink()) return 'is a symbolic link';
  if (!found.isFile()) return 'is not a file';
  return found.size === BigInt(size_bytes) ? undefined : `has ${found.size} bytes instead of ${size_bytes}`;
}

function digestState(
  { sha256 }: InstalledFile,
  { digest, readAt }: Proof
): Pick<BundleFileState, 'problem' | 'provedAt'> {
  if (digest === sha256) return { problem: undefined, provedAt: readAt };
  return { problem: `is damaged: its SHA-256 is ${digest} instead of ${sha256}` };
}

/** The path of an entry within a folder that it was listed in, with `/` between folders. */
export function pathWithin(folder: string, { parentPath, name }: Dirent): string {
  if (parentPath === folder) return name;
  return relative(folder, join(parentPath, name)).replaceAll(sep, '/');
}

function extraFiles(paths: readonly string[], { files }: InstalledManifest, links: readonly string[]): string[] {
  const known = new Set([BUNDLE_MANIFEST, ...files.map(({ path }) => path)]);
  const extra = paths.filter((path) => !known.has(path) && !isFolderLitter(path));
  return extra.map((path) => `${path} ${links.includes(path) ? LEAVES : 'does not belong to the model'}.`);
}
