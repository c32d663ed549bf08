import { lstat, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../shared/failure';
import { isFolderLitter } from '../platform/folder-litter';
import { fileFailure, isErrorWithCode } from '../platform/system-error';
import { assessBundleFolder, pathWithin } from './bundle-state';
import { BUNDLE_MANIFEST } from './cache-layout';

/** So many names are told; nobody reads more. */
const NAMES_TOLD = 5;

/**
 * Makes sure that nothing is lost but a bundle of ours when a folder is replaced or removed.
 * @param folder absolute path of the bundle's folder, which need not be there
 * @param wanted paths that the source manifest gives: where no installed one tells what is ours, files of these names are
 * @throws Failure that names what is not ours, or says that nobody can tell
 */
export async function requireNothingForeign(folder: string, wanted: readonly string[]): Promise<void> {
  const foreign = await foreignFiles(folder, wanted);
  const told = foreign.slice(0, NAMES_TOLD).join(', ');
  const more = foreign.length > NAMES_TOLD ? ` and ${foreign.length - NAMES_TOLD} more` : '';
  if (foreign.length === 0) return;
  throw new Failure('file-access', `In the place of the model lies what does not belong to it: ${told}${more}.`, {
    subject: folder,
    nextStep: 'Move it elsewhere, then try again.'
  });
}

async function foreignFiles(folder: string, wanted: readonly string[]): Promise<readonly string[]> {
  try {
    if (!(await lstat(folder)).isDirectory()) return [basename(folder)];
    const bundle = await assessBundleFolder(folder);
    if (bundle.kind === 'unreadable' && bundle.why === 'inaccessible') throw notToBeSeen(folder, bundle.problem);
    const ours = bundle.kind === 'present' ? bundle.manifest.files.map(({ path }) => path) : wanted;
    const known = new Set([BUNDLE_MANIFEST, ...ours]);
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    const paths = entries.flatMap((entry) => (entry.isDirectory() ? [] : pathWithin(folder, entry)));
    return paths.filter((path) => !known.has(path) && !isFolderLitter(path));
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw fileFailure(error, 'The installed files cannot be looked at.', folder);
  }
}

function notToBeSeen(folder: string, problem: string): Failure {
  return new Failure('file-access', problem, {
    subject: folder,
    nextStep: 'Check the permissions of the folder, then try again.'
  });
}
