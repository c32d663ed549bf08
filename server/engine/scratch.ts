import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { messageOf } from '../../shared/failure';
import { endProcessTree } from '../platform/child-process';
import { describeProcess, isProvedDead, nonce, ownIdentity } from '../platform/process-identity';
import { processRecord } from '../platform/process-record';
import { fileFailure, isErrorWithCode } from '../platform/system-error';

/** A folder of one run of the engine. */
export interface Scratch {
  /** Absolute path; the engine's working directory. */
  readonly folder: string;
  /** A folder that stays empty. */
  readonly emptyFolder: string;
  /** Notes the engine's process, so that a later start of ours can end it if we die first. */
  recordChild(pid: number): Promise<void>;
}

/** What a sweep did. */
export interface SweepReport {
  /** Folders that were removed. */
  readonly removed: number;
  /** Orphans that were ended. */
  readonly ended: number;
  /** What could not be cleaned up, one sentence each; it is tried again at the next start. */
  readonly problems: readonly string[];
}

const RECORD = 'record.json';

/** Who made a scratch folder, and the process that works in it. */
const scratchRecord = z.object({ owner: processRecord, child: processRecord.optional() });

type ScratchRecord = z.infer<typeof scratchRecord>;

/** How long a folder may be without a readable record, in ms: it is made before its record is. */
const RECORDLESS_MS = 60_000;

/** How long an orphan may take to be gone after it was ended, in ms. */
const ORPHAN_MS = 2000;

/**
 * Makes a scratch folder, hands it over, and removes it with all its content however that ends.
 * @param root `<cache root>/.scratch`
 * @param onProblem hears about a removal that failed; the sweep at the next start tries again
 * @throws what `use` throws; Failure 'file-access' or 'disk-full' when the folder cannot be made
 */
export async function withScratch<T>(
  root: string,
  onProblem: (sentence: string) => void,
  use: (scratch: Scratch) => Promise<T>
): Promise<T> {
  const folder = join(root, nonce());
  try {
    return await use(await createScratch(folder));
  } finally {
    await remove(folder).catch((error: unknown) => onProblem(removalProblem(folder, error)));
  }
}

/**
 * Removes what dead processes left behind and ends the engines that they had started. To be called when a server
 * starts; scratch folders of living processes are left alone.
 * @param root `<cache root>/.scratch`, which need not exist
 */
export async function sweepScratch(root: string): Promise<SweepReport> {
  let [removed, ended] = [0, 0];
  const problems: string[] = [];
  for (const name of await namesIn(root)) {
    const folder = join(root, name);
    try {
      const record = await readRecord(folder);
      if (!(await isAbandoned(folder, record))) continue;
      if (record?.child && (await endOrphan(record.child))) ended += 1;
      await remove(folder);
      removed += 1;
    } catch (error) {
      // Another process may be sweeping too.
      if (!isErrorWithCode(error, 'ENOENT')) problems.push(removalProblem(folder, error));
    }
  }
  return { removed, ended, problems };
}

async function createScratch(folder: string): Promise<Scratch> {
  const emptyFolder = join(folder, 'empty');
  const owner = await ownIdentity();
  try {
    await mkdir(emptyFolder, { recursive: true });
    await writeRecord(folder, { owner });
  } catch (error) {
    throw fileFailure(error, 'A folder for the run cannot be made.', folder);
  }
  return {
    folder,
    emptyFolder,
    recordChild: async (pid) => {
      const child = await describeProcess(pid);
      if (!child) return;
      await writeRecord(folder, { owner, child }).catch((error: unknown) => {
        throw fileFailure(error, 'The engine cannot be noted.', folder);
      });
    }
  };
}

/** By rename, so that a reader finds the old record or the new one. Nothing is synced: a reboot ends the child too. */
async function writeRecord(folder: string, record: ScratchRecord): Promise<void> {
  const path = join(folder, RECORD);
  await writeFile(`${path}.new`, JSON.stringify(record));
  await rename(`${path}.new`, path);
}

async function readRecord(folder: string): Promise<ScratchRecord | undefined> {
  try {
    const parsed = scratchRecord.safeParse(JSON.parse(await readFile(join(folder, RECORD), 'utf8')));
    return parsed.data;
  } catch (error) {
    if (error instanceof SyntaxError || isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function isAbandoned(folder: string, record: ScratchRecord | undefined): Promise<boolean> {
  if (record) return isProvedDead(record.owner);
  return Date.now() - (await stat(folder)).mtimeMs > RECORDLESS_MS;
}

/** Ends a process only when its start time proves that it is the one on record. */
async function endOrphan(child: NonNullable<ScratchRecord['child']>): Promise<boolean> {
  if (child.startTime === '' || (await isProvedDead(child))) return false;
  await endProcessTree(child.pid);
  const deadline = performance.now() + ORPHAN_MS;
  while (!(await isProvedDead(child))) {
    if (performance.now() > deadline) throw new Error(`process ${child.pid} does not end`);
    await delay(10);
  }
  return true;
}

async function namesIn(root: string): Promise<string[]> {
  try {
    return await readdir(root);
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return [];
    throw fileFailure(error, 'The folder for runs cannot be read.', root);
  }
}

async function remove(folder: string): Promise<void> {
  try {
    // A process that was just ended may still be creating files, and Windows keeps files of the dying busy.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  } catch (error) {
    // Nothing can lie in a folder whose parent is no folder.
    if (!isErrorWithCode(error, 'ENOTDIR')) throw error;
  }
}

function removalProblem(folder: string, error: unknown): string {
  return `The scratch folder ${folder} could not be removed: ${messageOf(error)}`;
}
