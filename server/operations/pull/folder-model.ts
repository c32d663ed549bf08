import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from '../../../shared/failure';
import { bundlePathProblem, pathConflict } from '../../../shared/file-name';
import { type RegisteredManifest, registeredManifest } from '../../../shared/manifest/registered-manifest';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import type { ModelName } from '../../../shared/model-name';
import { type FolderFile, filesOfFolder } from '../../pull/local/folder-files';
import type { KnownModel } from '../models/known-models';

/** Where the files of a model are taken from instead of their addresses: absolute path by file name. */
export type LocalFiles = ReadonlyMap<string, string>;

/**
 * Finds the files that a manifest lists in a folder: by their path, else by their name at any depth when only one file
 * has it.
 * @param folder absolute path
 * @throws Failure that names a file which is not there
 */
export async function localFiles(
  { files }: RegisteredManifest,
  folder: string,
  signal: AbortSignal
): Promise<LocalFiles> {
  const found = await filesOfFolder(folder, signal);
  return new Map(files.map(({ filename }) => [filename, locate(filename, found, folder)]));
}

function locate(filename: string, found: readonly FolderFile[], folder: string): string {
  const exact = found.find(({ path }) => path === filename);
  const named = exact ? [exact] : found.filter(({ path }) => basename(path) === basename(filename));
  const [only, other] = named;
  if (!only) {
    throw new Failure('file-access', `There is no file named ${filename} in the folder.`, {
      subject: folder,
      nextStep: 'Put the file there, or pull the model without naming a folder.'
    });
  }
  if (!other) return only.absolutePath;
  throw new Failure('file-access', `Several files are named ${filename}: ${only.path}, ${other.path}.`, {
    subject: folder,
    nextStep: 'Name the folder that holds the right one.'
  });
}

/**
 * A model made of all files of a folder, whose digests nobody declared. Nothing is registered.
 * @param folder absolute path
 * @throws Failure when the folder holds no file, or one whose name some platform does not take
 */
export async function modelFromFolder(name: ModelName, folder: string, signal: AbortSignal): Promise<KnownModel> {
  const found = await filesOfFolder(folder, signal);
  if (found.length === 0) {
    throw new Failure('file-access', 'The folder holds no files for a model.', {
      subject: folder,
      nextStep: 'Hidden files and manifest.json do not count.'
    });
  }
  if (found.length > MOST_FILES) {
    throw new Failure('file-access', `A model has at most ${MOST_FILES} files.`, { subject: folder });
  }
  requireGoodPaths(found);
  const files = found.map(({ path, absolutePath, bytes }) => ({
    filename: path,
    url: pathToFileURL(absolutePath).href,
    approx_bytes: bytes
  }));
  const manifest = registeredManifest.safeParse({ name, source: folder, files });
  if (manifest.success) return { name, manifest: manifest.data };
  throw new Failure('file-access', 'The path of the folder cannot be written as an address.', {
    subject: folder,
    nextStep: 'Rename the folder, then try again.'
  });
}

/** Whether a model was registered from a folder: nobody says what its files are for. */
export function isFolderModel({ manifest }: KnownModel): boolean {
  return manifest.files.every(({ role }) => role === undefined);
}

/** @throws Failure for the first path that some platform does not take, or takes for another one */
function requireGoodPaths(found: readonly FolderFile[]): void {
  for (const { path, absolutePath } of found) {
    const problem = bundlePathProblem(path);
    if (problem) throw badPath(`The name of ${path} ${problem.reason}.`, absolutePath, 'it');
  }
  const conflict = pathConflict(found.map(({ path }) => path));
  if (!conflict) return;
  const { path, twin, kind } = conflict;
  const subject = found.find((file) => file.path === path)?.absolutePath ?? path;
  throw kind === 'same'
    ? badPath(`Some platforms take ${path} and ${twin} for one file.`, subject, 'it')
    : badPath(`Some platforms take the folder of ${path} and the file ${twin} for one.`, subject, 'one');
}

function badPath(message: string, subject: string, which: 'it' | 'one'): Failure {
  return new Failure('file-access', message, { subject, nextStep: `Rename ${which}, then try again.` });
}
