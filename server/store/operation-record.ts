import { lstat, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isLink, renameIfThere, syncDirectory, writeFileDurably } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import {
  isGone,
  nonce,
  ownerTag,
  ownIdentity,
  type ProcessIdentity,
  parseOwnerTag
} from '../platform/process-identity';
import { processRecord } from '../platform/process-record';
import { isErrorWithCode } from '../platform/system-error';
import type { CacheLayout } from './cache-layout';

/** The name of an entry in the folder of staged or of purged bundles; never one that leads out of it. */
const entryName = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/);

const common = {
  name: z.string(),
  owner: processRecord,
  /** Stamp of the bundle folder that is to be replaced or dropped; '' when there was none. */
  replaces: z.string(),
  purge: entryName
};

/**
 * What an operation is about to rename, written before it starts, so that another process can finish or undo it
 * after a crash. `staging` and `purge` are names within the folders of those names.
 */
const operationRecord = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('install'), ...common, staging: entryName }),
  /** `forget`: whether the model is not even to be known any more; absent in records of earlier versions. */
  z.object({ kind: z.literal('drop'), ...common, forget: z.boolean().default(false) }),
  /** The bundle gets another name: its folder, and then its manifest. */
  z.object({ kind: z.literal('rename'), ...common, to: z.string() }),
  /** Renames nothing: it names contents that a job counts on, so that no collection takes them away. */
  z.object({
    kind: z.literal('rely'),
    owner: processRecord,
    digests: z.array(z.string()),
    /** Whether there are more, whose digests nobody knows yet. */
    open: z.boolean()
  })
]);

export type OperationRecord = z.infer<typeof operationRecord>;
export type InstallRecord = Extract<OperationRecord, { kind: 'install' }>;
export type RenameRecord = Extract<OperationRecord, { kind: 'rename' }>;
export type DropRecord = Extract<OperationRecord, { kind: 'drop' }>;
export type RelyRecord = Extract<OperationRecord, { kind: 'rely' }>;

/** A record in its file. */
export interface FoundOperation {
  readonly file: string;
  /** Undefined when the file cannot be understood. */
  readonly record: OperationRecord | undefined;
  /** The process that answers for the operation: whoever took it over, else the one that began it. */
  readonly owner: ProcessIdentity | undefined;
  /** When the record was written, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** Whether the process that answers for an operation may still be at it. */
export async function isUnderWay({ owner, writtenAt }: FoundOperation): Promise<boolean> {
  return owner !== undefined && !(await isGone(owner, writtenAt));
}

/** Writes a record so that it survives a power cut; the folder exists. @returns its file name */
export async function recordOperation(layout: CacheLayout, id: string, record: OperationRecord): Promise<string> {
  const file = `${id}.json`;
  await writeFileDurably(join(layout.operations, file), `${JSON.stringify(record)}\n`);
  return file;
}

/** Forgets a record: the operation is finished or undone. */
export async function forgetOperation(layout: CacheLayout, file: string): Promise<void> {
  await rm(join(layout.operations, file), { force: true });
  await syncDirectory(layout.operations);
}

/** Every record. @throws system errors: one that cannot be read now may belong to a living process */
export async function readOperations(layout: CacheLayout): Promise<readonly FoundOperation[]> {
  for (;;) {
    const files = (await entriesOf(layout.operations)).filter((file) => /^[^.].*\.json$/.test(file));
    const found = await Promise.all(files.map((file) => readOperation(layout, file)));
    const records = found.flatMap((operation) => operation ?? []);
    // What vanished meanwhile may be there under the name that another process has just given it.
    if (records.length === files.length) return records;
  }
}

/**
 * Makes this process the one that answers for the operation of a dead one, by a rename that one of several wins.
 * @returns the record's new file name; undefined when another process won
 */
export async function takeOverOperation(layout: CacheLayout, file: string): Promise<string | undefined> {
  const taken = `${idOf(file)}.${ownerTag(await ownIdentity(), nonce())}.json`;
  return (await renamed(layout, file, taken)) ? taken : undefined;
}

/** Hands an operation that could not be settled back, so that the next start tries again. */
export async function handBackOperation(layout: CacheLayout, file: string): Promise<void> {
  await renamed(layout, file, `${idOf(file)}.json`);
}

function renamed(layout: CacheLayout, from: string, to: string): Promise<boolean> {
  return renameIfThere(join(layout.operations, from), join(layout.operations, to));
}

function idOf(file: string): string {
  return file.split('.')[0] ?? file;
}

/** @returns undefined when the operation ended meanwhile */
async function readOperation(layout: CacheLayout, file: string): Promise<FoundOperation | undefined> {
  const path = join(layout.operations, file);
  let text: string;
  let writtenAt: number;
  try {
    text = await readFile(path, 'utf8');
    writtenAt = (await stat(path)).mtimeMs;
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
    if (!(await isLink(path))) return undefined;
    // Nobody of ours makes links: it is what cannot be understood, and not what just ended.
    return { file, record: undefined, owner: undefined, writtenAt: (await lstat(path)).mtimeMs };
  }
  const record = parseRecord(text);
  const tag = file.slice(idOf(file).length + 1, -'.json'.length);
  return { file, record, owner: parseOwnerTag(tag) ?? record?.owner, writtenAt };
}

function parseRecord(text: string): OperationRecord | undefined {
  try {
    return operationRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
