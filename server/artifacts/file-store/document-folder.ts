import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../shared/failure';
import { isTemporary, removeAbandonedTemporaries } from '../../platform/durable-files';
import { createFileDurably, locateCreatedFile, removeCreatedFile } from '../../platform/exclusive-files';
import { entriesOf } from '../../platform/folder-entries';
import { errorCode, isErrorWithCode } from '../../platform/system-error';
import { requirePlainFile, versionOf } from './plain-file';

/** Generations before the newest one that stay, so that readers seldom find theirs gone. */
const KEPT_GENERATIONS = 2;

const GENERATION = /^[1-9]\d{0,11}$/;

/** More than anybody ever writes; the next one would not be found. */
const LAST_GENERATION = 999_999_999_999;

/** The newest generation of a document. */
export interface Generation {
  readonly number: number;
  /** Of its file. */
  readonly path: string;
  readonly version: string;
  readonly bytes: number;
  readonly changedAtUnixMs: number;
}

/** So often a reader looks again that finds the newest generation gone. */
const ATTEMPTS = 100;

/** Finds a document as it is now, in its folder of generations: undefined when there is none. @throws system errors */
export async function newestGeneration(folder: string): Promise<Generation | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const entries = await entriesOf(folder);
    const number = Math.max(0, ...entries.filter((entry) => GENERATION.test(entry)).map(Number));
    if (number === 0) return undefined;
    try {
      return await describe(folder, number);
    } catch (error) {
      // Newer ones were written meanwhile and it was removed, or the whole document was.
      if (!isErrorWithCode(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
    }
  }
}

async function describe(folder: string, number: number): Promise<Generation> {
  const path = await locateCreatedFile(join(folder, String(number)));
  const found = await lstat(path, { bigint: true });
  requirePlainFile(found, path);
  const version = `${number}.${versionOf(found)}`;
  return { number, path, version, bytes: Number(found.size), changedAtUnixMs: Number(found.mtimeMs) };
}

/**
 * Writes the next generation of a document, if the newest one is still the one that is to be replaced. The folder has
 * to be there. Of several writers one wins, for a number is given once. A number can be free again after old generations
 * were removed, and the folder can be another one after the document was deleted; therefore a writer looks again once
 * its own temporary file is in the folder: as long as one is there nothing is removed, and it is not in another folder.
 * @param previous version, or null for: none
 * @returns the new version, or undefined when something else was there
 * @throws system errors; ENOENT when the folder is gone
 */
export async function writeNext(
  folder: string,
  bytes: Uint8Array,
  previous: string | null
): Promise<string | undefined> {
  const isUnchanged = async (): Promise<boolean> => ((await newestGeneration(folder))?.version ?? null) === previous;
  const newest = await newestGeneration(folder);
  if ((newest?.version ?? null) !== previous) return undefined;
  const number = (newest?.number ?? 0) + 1;
  if (number > LAST_GENERATION) throw usedUp(folder);
  if (!(await createFileDurably(join(folder, String(number)), bytes, isUnchanged))) return undefined;
  const version = await versionOfWritten(folder, number);
  await collect(folder, number).catch(requireSystemError);
  return version;
}

/** Later ones may have been written and ours removed, or the whole document; nobody has its version then. */
async function versionOfWritten(folder: string, number: number): Promise<string> {
  try {
    return (await describe(folder, number)).version;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return `${number}.gone`;
    throw error;
  }
}

/** Removes old generations unless somebody is writing: it may have seen one of them as the newest. */
async function collect(folder: string, newest: number): Promise<void> {
  const hasWriters = async (): Promise<boolean> => (await entriesOf(folder)).some(isTemporary);
  if ((await hasWriters()) && ((await removeAbandonedTemporaries(folder)) === 0 || (await hasWriters()))) return;
  for (const entry of await entriesOf(folder)) {
    if (!GENERATION.test(entry) || Number(entry) >= newest - KEPT_GENERATIONS) continue;
    await removeCreatedFile(join(folder, entry)).catch(requireSystemError);
  }
}

/** What was written counts: what cannot be removed now, for example from under a reader, goes with a later change. */
function requireSystemError(error: unknown): void {
  if (errorCode(error) === undefined) throw error;
}

function usedUp(folder: string): Failure {
  return new Failure('file-access', 'The document cannot be written: its generations are used up.', {
    subject: folder,
    nextStep: 'Somebody else wrote into the folder of the store; remove what has the highest number.'
  });
}
