import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../shared/failure';
import { type ModelName, parseModelName } from '../../shared/model-name';
import { sweepClaims } from '../platform/claims';
import { exists, removeAbandonedTemporaries, renameIfThere } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { nonce } from '../platform/process-identity';
import { putBackAbandoned } from './aside-blobs';
import { assessBundleFolder } from './bundle-state';
import { folderStamp, promote, putBack, removeAside, setAside, undoInstall } from './bundle-swap';
import type { CacheLayout } from './cache-layout';
import {
  type DropRecord,
  type FoundOperation,
  forgetOperation,
  handBackOperation,
  type InstallRecord,
  isUnderWay,
  type OperationRecord,
  readOperations,
  takeOverOperation
} from './operation-record';
import { settleRename } from './rename-bundle';

/** What recovery did, one sentence each; empty when nothing was left over. */
export type RecoveryReport = readonly string[];

/** An operation on a model that was settled, whatever became of it. */
export type SettledOperation =
  | {
      readonly kind: 'install' | 'drop';
      readonly name: ModelName;
      /** Whether a dropped model was not even to be known any more. */
      readonly forget: boolean;
    }
  | { readonly kind: 'rename'; readonly name: ModelName; readonly to: ModelName };

/**
 * Completes or undoes what crashed processes left half-way. Operations of living processes are left alone, and for a
 * week those of other hosts, where nobody here can ask who lives. Several processes may recover at the same time: each operation is settled by one.
 * @param onSettled notes elsewhere what is in place now, before the operation is forgotten; when it fails, the next
 *   start tries again
 */
export async function recover(
  layout: CacheLayout,
  onSettled: (operation: SettledOperation) => Promise<unknown> = async () => undefined
): Promise<RecoveryReport> {
  const done: string[] = [];
  // Listed before the records: an entry without a record afterwards belongs to an operation that is over.
  const staged = await entriesOf(layout.staging);
  const purged = await entriesOf(layout.purge);
  const kept = new Set<string>();
  for (const operation of await readOperations(layout)) {
    const { sentence, isOver } = await settleIfAbandoned(layout, operation, onSettled);
    if (sentence !== undefined) done.push(sentence);
    if (!isOver) for (const entry of entriesNamedBy(operation.record)) kept.add(entry);
  }
  for (const entry of purged) if (!kept.has(entry)) done.push(...(await settlePurged(layout, entry)));
  for (const entry of staged) if (!kept.has(entry)) done.push(...(await discard(layout.staging, entry)));
  const folders = [layout.operations, layout.registry, layout.partials, layout.fetched];
  for (const folder of folders) await removeAbandonedTemporaries(folder);
  await sweepClaims(layout.partials);
  await putBackAbandoned(layout);
  return done;
}

/** Bundles on their way in or out that nobody is working on any more, by name: {@link recover} settles or removes them. */
export async function findLeftovers(layout: CacheLayout): Promise<readonly string[]> {
  const entries = [...(await entriesOf(layout.staging)), ...(await entriesOf(layout.purge))];
  const busy = new Set<string>();
  for (const operation of await readOperations(layout)) {
    if (await isUnderWay(operation)) for (const entry of entriesNamedBy(operation.record)) busy.add(entry);
  }
  return entries.filter((entry) => !busy.has(entry));
}

interface Settlement {
  readonly sentence?: string;
  /** Whether nothing of the operation is needed any more. */
  readonly isOver: boolean;
}

async function settleIfAbandoned(
  layout: CacheLayout,
  operation: FoundOperation,
  onSettled: (operation: SettledOperation) => Promise<unknown>
): Promise<Settlement> {
  const { file, record } = operation;
  if (await isUnderWay(operation)) return { isOver: false };
  const taken = await takeOverOperation(layout, file);
  if (taken === undefined) return { isOver: false };
  try {
    const sentence = record ? await settle(layout, record) : 'Forgot a record that cannot be read.';
    const settled = settledOperation(record);
    if (settled) await onSettled(settled);
    await forgetOperation(layout, taken);
    return { sentence, isOver: true };
  } catch (error) {
    await handBackOperation(layout, taken);
    return { sentence: `An interrupted operation cannot be settled: ${messageOf(error)}`, isOver: false };
  }
}

function settledOperation(record: OperationRecord | undefined): SettledOperation | undefined {
  if (!record || record.kind === 'rely') return undefined;
  const name = parseModelName(record.name);
  if (!name) return undefined;
  if (record.kind !== 'rename') return { kind: record.kind, name, forget: record.kind === 'drop' && record.forget };
  const to = parseModelName(record.to);
  return to && { kind: 'rename', name, to };
}

function entriesNamedBy(record: OperationRecord | undefined): readonly string[] {
  if (!record || record.kind === 'rely') return [];
  return record.kind === 'install' ? [record.staging, record.purge] : [record.purge];
}

async function settle(layout: CacheLayout, record: OperationRecord): Promise<string> {
  if (record.kind === 'rely') return 'Forgot an interrupted pull.';
  const name = parseModelName(record.name);
  if (!name) return 'Forgot an operation on a model without a valid name.';
  if (record.kind === 'drop') return finishDrop(layout, record, name);
  if (record.kind === 'install') return settleInstall(layout, record, name);
  const to = parseModelName(record.to);
  return to ? settleRename(layout, record, { name, to }) : `Forgot giving ${name} a name that is none.`;
}

async function finishDrop(layout: CacheLayout, { purge, replaces }: DropRecord, name: ModelName): Promise<string> {
  const isAside = await exists(join(layout.purge, purge));
  // A bundle with another stamp was installed later, and its user was told so.
  if (!isAside && (await folderStamp(layout.model(name))) === replaces) await setAside(layout, name, purge);
  await removeAside(layout, purge);
  return `Finished removing ${name}.`;
}

async function settleInstall(layout: CacheLayout, record: InstallRecord, name: ModelName): Promise<string> {
  const staged = await assessBundleFolder(join(layout.staging, record.staging));
  const isComplete = staged.kind === 'present' && staged.problems.length === 0;
  if (isComplete && (await isStillWanted(layout, record, name))) {
    await promote(layout, name, record);
    await removeAside(layout, record.purge);
    return `Finished installing ${name}.`;
  }
  const isBack = await undoInstall(layout, name, record);
  return isBack ? `Put the previous ${name} back in place.` : `Cleaned up after installing ${name}.`;
}

/** Whether nobody has installed or dropped the model since: what was acknowledged later is not to be undone. */
async function isStillWanted(
  layout: CacheLayout,
  { purge, replaces }: InstallRecord,
  name: ModelName
): Promise<boolean> {
  const present = await folderStamp(layout.model(name));
  return (await exists(join(layout.purge, purge))) ? present === '' : present === replaces;
}

/** A bundle whose record is lost may be the only one of its model: then it goes back. */
async function settlePurged(layout: CacheLayout, entry: string): Promise<string[]> {
  const name = parseModelName(entry.replace(/\.[0-9a-f]{16}$/, ''));
  const bundle = await assessBundleFolder(join(layout.purge, entry));
  if (name && name !== entry && bundle.kind === 'present' && (await putBack(layout, name, entry))) {
    return [`Put the previous ${name} back in place.`];
  }
  return discard(layout.purge, entry);
}

/** Removes an entry that nobody answers for; by way of a rename, so that nobody can move a half of it elsewhere. */
async function discard(folder: string, entry: string): Promise<string[]> {
  const grave = join(folder, `.${nonce()}`);
  if (!(await renameIfThere(join(folder, entry), grave))) return [];
  await rm(grave, { recursive: true, force: true });
  return [`Removed the leftover ${entry}.`];
}
