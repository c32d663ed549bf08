import type { Dirent } from 'node:fs';
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

/** One file of a bundle as a stat sees it. */
export interface BundleFileState {
  readonly file: InstalledFile;
  /** What is wrong, a predicate after the file's path; undefined when existence and size are right. */
  readonly problem: string | undefined;
}

/** A bundle as a quick look sees it: existence and sizes, no digests. */
export type BundleState =
  | { readonly kind: 'absent' }
  /** The folder is there, but its manifest tells nothing. */
  | { readonly kind: 'unreadable'; readonly problem: string }
  | {
      readonly kind: 'present';
      readonly manifest: InstalledManifest;
      readonly files: readonly BundleFileState[];
      /** What lies in the folder without belonging there, one sentence each. */
      readonly extras: readonly string[];
      /** Everything that is wrong, one sentence each; empty for a sound bundle. */
      readonly problems: readonly string[];
    };

/** Looks at a bundle's folder with one stat per file. @param folder absolute path */
export async function assessBundleFolder(folder: string): Promise<BundleState> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'absent' };
    return { kind: 'unreadable', problem: 'The folder cannot be read.' };
  }
  const manifest = await readInstalledManifest(join(folder, BUNDLE_MANIFEST));
  if (typeof manifest === 'string') return { kind: 'unreadable', problem: manifest };
  const files = await Promise.all(
    manifest.files.map(async (file) => ({ file, problem: await fileProblem(folder, file) }))
  );
  const broken = files.flatMap(({ file, problem }) => (problem === undefined ? [] : [`${file.path} ${problem}.`]));
  const extras = extraFiles(folder, entries, manifest);
  return { kind: 'present', manifest, files, extras, problems: [...broken, ...extras] };
}

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
  const parsed = installedManifest.safeParse(value);
  if (parsed.success) return repeatedFile(parsed.data) ?? parsed.data;
  const [issue] = parsed.error.issues;
  return (
    `manifest.json does not follow the schema: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd() + '.'
  );
}

/** @returns a sentence when one file is listed twice, so that nobody could tell which content it should have */
function repeatedFile({ files }: InstalledManifest): string | undefined {
  const seen = new Set<string>();
  const repeated = files.find(({ path }) => seen.size === seen.add(collisionKey(path)).size);
  return repeated && `manifest.json lists ${repeated.path} more than once.`;
}

async function fileProblem(folder: string, file: InstalledFile): Promise<string | undefined> {
  try {
    const found = await lstat(join(folder, file.path));
    if (found.isSymbolicLink()) return 'is a symbolic link';
    if (!found.isFile()) return 'is not a file';
    if (found.size !== file.size_bytes) return `has ${found.size} bytes instead of ${file.size_bytes}`;
    return undefined;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return 'is missing';
    return 'cannot be read';
  }
}

function extraFiles(folder: string, entries: readonly Dirent[], manifest: InstalledManifest): string[] {
  const known = new Set([BUNDLE_MANIFEST, ...manifest.files.map(({ path }) => path)]);
  return entries.flatMap((entry) => {
    if (entry.isDirectory()) return [];
    const path = relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
    return known.has(path) ? [] : [`${path} does not belong to the model.`];
  });
}
