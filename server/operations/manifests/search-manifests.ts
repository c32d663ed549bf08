import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCandidateName } from '../../../shared/manifest/candidate';
import { fileFailure } from '../../platform/system-error';

/** Folders that hold other people's files. */
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', '.git']);

/** Far more than a workspace has; a home folder has more. */
const MOST_FOLDERS = 50_000;

/** Whether a path leads through a folder that is never searched. */
export function liesInSkippedFolder(path: string): boolean {
  return path.split(/[/\\]/).some((segment) => SKIPPED.has(segment));
}

/**
 * Every file in a folder and its sub-folders whose name may be a manifest's, sorted. Links are not followed, and
 * sub-folders that cannot be read are passed over.
 * @param folder absolute path
 * @throws Failure when the folder itself cannot be read
 */
export async function searchManifests(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const waiting = [folder];
  let folders = 0;
  for (let at = waiting.pop(); at !== undefined && folders < MOST_FOLDERS; at = waiting.pop()) {
    folders += 1;
    for (const entry of await entriesOf(at, at === folder)) {
      const path = join(at, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) waiting.push(path);
      else if (entry.isFile() && hasCandidateName(entry.name)) found.push(path);
    }
  }
  return found.toSorted();
}

async function entriesOf(folder: string, isRequired: boolean): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isRequired) throw fileFailure(error, 'The path cannot be read.', folder);
    return [];
  }
}
