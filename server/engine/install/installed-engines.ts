import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ENGINE_VARIANTS } from '../../../shared/engine';
import {
  makeDirectoryDurably,
  removeAbandonedTemporaries,
  renameIfThere,
  temporaryPath,
  writeFileDurably
} from '../../platform/durable-files';
import { entriesOf } from '../../platform/folder-entries';
import { isProvedDead } from '../../platform/process-identity';
import { processRecord } from '../../platform/process-record';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';

/** The name of an entry in the folder of versions; never one that leads out of it. */
const versionId = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/);

/**
 * Which engine counts. Replacing this file is what installing, rolling back and choosing come down to, so that a crash
 * leaves the old state or the new one.
 */
const selection = z.object({
  current: versionId.nullable(),
  previous: versionId.nullable(),
  /** What is to be found before PATH is searched: a path, or the installed engine. */
  chosen: z.union([z.object({ path: z.string().min(1) }), z.literal('installed')]).nullable()
});

export type EngineSelection = z.infer<typeof selection>;

/** What is known of an installed engine, beside its files. */
const versionRecord = z.object({
  release: z.string(),
  variant: z.enum(ENGINE_VARIANTS),
  /** Path of sd-cli within the folder of files, with `/` between names. */
  program: z.string(),
  version: z.string(),
  /** SHA-256 of each archive. */
  archives: z.array(z.object({ name: z.string(), sha256: z.string() })),
  digest_origin: z.enum(['published', 'pinned', 'observed']),
  installed_at_unix_ms: z.number(),
  /** Answers for the folder until the selection names it. */
  installer: processRecord
});

export type VersionRecord = z.infer<typeof versionRecord>;

/** An engine that we installed. */
export interface InstalledEngine {
  readonly id: string;
  readonly record: VersionRecord;
  /** Absolute path of sd-cli. */
  readonly path: string;
}

const NOTHING: EngineSelection = { current: null, previous: null, chosen: null };

const SELECTION = 'selection.json';
const VERSION_RECORD = 'engine.json';

/** The folder of a version's files. @param engines absolute path of the folder of engines */
export function filesFolder(versionFolder: string): string {
  return join(versionFolder, 'files');
}

/** The folder that holds a folder for each installed version. */
export function versionsFolder(engines: string): string {
  return join(engines, 'versions');
}

/** @throws Failure('file-access') when it cannot be read; one that makes no sense counts as none */
export async function readSelection(engines: string): Promise<EngineSelection> {
  const path = join(engines, SELECTION);
  try {
    return selection.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? NOTHING;
  } catch (error) {
    if (error instanceof SyntaxError || isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return NOTHING;
    throw fileFailure(error, 'What is known of installed engines cannot be read.', path);
  }
}

/** Changes which engine counts, at once for every process. @throws Failure */
export async function changeSelection(
  engines: string,
  change: (before: EngineSelection) => EngineSelection
): Promise<EngineSelection> {
  const after = change(await readSelection(engines));
  try {
    await makeDirectoryDurably(engines);
    await writeFileDurably(join(engines, SELECTION), `${JSON.stringify(after)}\n`);
  } catch (error) {
    throw fileFailure(error, 'The engine cannot be chosen.', join(engines, SELECTION));
  }
  return after;
}

/** @returns undefined when there is no such version, or not all of it */
export async function readVersion(engines: string, id: string | null): Promise<InstalledEngine | undefined> {
  if (id === null) return undefined;
  const folder = join(versionsFolder(engines), id);
  const record = await readRecord(folder);
  return record && { id, record, path: join(filesFolder(folder), ...record.program.split('/')) };
}

/** Writes down what a version is, in its folder, before the folder gets its name. */
export async function writeRecord(versionFolder: string, record: VersionRecord): Promise<void> {
  await writeFileDurably(join(versionFolder, VERSION_RECORD), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Removes versions that nobody needs: those that are neither the present nor the previous one, and what installations
 * left that never came to their end. What belongs to a living process stays.
 * @returns how many
 */
export async function collectVersions(engines: string): Promise<number> {
  const versions = versionsFolder(engines);
  // Listed before the selection is read: a version that is selected later was not listed as abandoned.
  const ids = (await entriesOf(versions)).filter((name) => !name.startsWith('.'));
  const { current, previous } = await readSelection(engines);
  let removed = await removeAbandonedTemporaries(versions);
  for (const id of ids) {
    if (id === current || id === previous) continue;
    const record = await readRecord(join(versions, id));
    const isSuperseded = record !== undefined && (await isSettled(record));
    if (!isSuperseded) continue;
    // By way of another name, so that no half of it is left that nobody knows.
    const grave = await temporaryPath(versions);
    if (!(await renameIfThere(join(versions, id), grave))) continue;
    await rm(grave, { recursive: true, force: true });
    removed += 1;
  }
  await removeAbandonedTemporaries(engines);
  return removed;
}

async function isSettled({ installer }: VersionRecord): Promise<boolean> {
  return installer.pid === process.pid || (await isProvedDead(installer));
}

async function readRecord(folder: string): Promise<VersionRecord | undefined> {
  try {
    return versionRecord.safeParse(JSON.parse(await readFile(join(folder, VERSION_RECORD), 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw fileFailure(error, 'What is known of an installed engine cannot be read.', folder);
  }
}
