import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelName, parseModelName } from '../../shared/model-name';
import { exists, makeDirectoryDurably, renamePatiently, syncDirectory } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { isProvedDead } from '../platform/process-identity';
import { assessBundleFolder } from './bundle-state';
import type { CacheLayout } from './cache-layout';
import { forgetOperation, type OperationRecord, readOperations } from './operation-record';

/** What recovery did, one sentence each; empty when nothing was left over. */
export type RecoveryReport = readonly string[];

/**
 * Completes or undoes what crashed processes left half-way. Operations of living processes, and of other hosts,
 * are left alone.
 */
export async function recover(layout: CacheLayout): Promise<RecoveryReport> {
  const done: string[] = [];
  // Listed before the records: an entry without a record afterwards belongs to an operation that is over.
  const staged = await entriesOf(layout.staging);
  const purged = await entriesOf(layout.purge);
  const operations = await readOperations(layout);
  for (const { file, record } of operations) {
    if (record && !(await isProvedDead(record.owner))) continue;
    if (record) done.push(await settle(layout, record));
    await forgetOperation(layout, file);
  }
  const owned = new Set(operations.flatMap(({ record }) => (record ? [record.staging, record.purge] : [])));
  for (const [folder, entries] of [[layout.staging, staged] as const, [layout.purge, purged] as const]) {
    for (const entry of entries) {
      if (owned.has(entry)) continue;
      await rm(join(folder, entry), { recursive: true, force: true });
      done.push(`Removed the leftover ${entry}.`);
    }
  }
  return done;
}

async function settle(layout: CacheLayout, record: OperationRecord): Promise<string> {
  const name = parseModelName(record.name);
  if (!name) return `Forgot an operation on a model without a valid name.`;
  return record.kind === 'drop' ? finishDrop(layout, record, name) : settleInstall(layout, record, name);
}

async function finishDrop(layout: CacheLayout, record: OperationRecord, name: ModelName): Promise<string> {
  const aside = join(layout.purge, record.purge);
  if (!(await exists(aside)) && (await exists(layout.model(name)))) {
    await makeDirectoryDurably(layout.purge);
    await renamePatiently(layout.model(name), aside);
    await syncDirectory(layout.models);
  }
  await rm(aside, { recursive: true, force: true });
  return `Finished removing ${name}.`;
}

async function settleInstall(layout: CacheLayout, record: OperationRecord, name: ModelName): Promise<string> {
  const staging = join(layout.staging, record.staging);
  const aside = join(layout.purge, record.purge);
  const target = layout.model(name);
  const staged = await assessBundleFolder(staging);
  if (staged.kind === 'present' && staged.problems.length === 0) {
    await makeDirectoryDurably(layout.models);
    if (await exists(target)) {
      await makeDirectoryDurably(layout.purge);
      // An old bundle that is already aside means that what lies at the target came later from somebody else.
      if (await exists(aside)) await rm(aside, { recursive: true, force: true });
      await renamePatiently(target, aside);
    }
    await renamePatiently(staging, target);
    await syncDirectory(layout.models);
    await rm(aside, { recursive: true, force: true });
    return `Finished installing ${name}.`;
  }
  await rm(staging, { recursive: true, force: true });
  if ((await exists(aside)) && !(await exists(target))) {
    await renamePatiently(aside, target);
    await syncDirectory(layout.models);
    return `Put the previous ${name} back in place.`;
  }
  await rm(aside, { recursive: true, force: true });
  return `Cleaned up after installing ${name}.`;
}
