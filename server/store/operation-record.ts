import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { processIdentity } from '../platform/process-identity';
import type { CacheLayout } from './cache-layout';

/**
 * What an operation is about to rename, written before it starts, so that another process can finish or undo it
 * after a crash. `staging` and `purge` are names within the folders of those names.
 */
const operationRecord = z.object({
  kind: z.enum(['install', 'drop']),
  name: z.string(),
  owner: processIdentity,
  staging: z.string().regex(/^[A-Za-z0-9._-]*$/),
  purge: z.string().regex(/^[A-Za-z0-9._-]+$/)
});

export type OperationRecord = z.infer<typeof operationRecord>;

/** Writes a record so that it survives a power cut. @returns its file name */
export async function recordOperation(layout: CacheLayout, id: string, record: OperationRecord): Promise<string> {
  await makeDirectoryDurably(layout.operations);
  const file = `${id}.json`;
  await writeFileDurably(join(layout.operations, file), `${JSON.stringify(record)}\n`);
  return file;
}

/** Forgets a record: the operation is finished or undone. */
export async function forgetOperation(layout: CacheLayout, file: string): Promise<void> {
  await rm(join(layout.operations, file), { force: true });
  await syncDirectory(layout.operations);
}

/** Every readable record. One that cannot be read was never complete, so nothing was renamed for it. */
export async function readOperations(
  layout: CacheLayout
): Promise<readonly { readonly file: string; readonly record: OperationRecord | undefined }[]> {
  const files = await entriesOf(layout.operations);
  return Promise.all(
    files
      .filter((file) => file.endsWith('.json'))
      .map(async (file) => ({ file, record: await readRecord(join(layout.operations, file)) }))
  );
}

async function readRecord(path: string): Promise<OperationRecord | undefined> {
  try {
    const parsed = operationRecord.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
