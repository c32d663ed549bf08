import { Failure } from '../../../shared/failure';
import { CheckpointKeys } from '../../artifacts/checkpoints/checkpoint-keys';
import { type CheckpointContent, findCheckpoint, readCheckpoint } from '../../artifacts/checkpoints/find-checkpoint';
import { HeldCheckpoint } from '../../artifacts/checkpoints/held-checkpoint';
import { type Begun, beginNext, noProgress } from '../../artifacts/checkpoints/progress';
import { tornCheckpoint } from '../../artifacts/checkpoints/torn-checkpoint';
import type { ObjectStore } from '../../artifacts/object-store';
import type { Services } from '../services';
import type { BatchFile } from './batch-file';
import {
  type BatchModels,
  findModels,
  missingModels,
  pinnedModels,
  planModels,
  plannedModels,
  pullMissing
} from './batch-models';
import type { RunBatchOptions } from './batch-options';
import { type BatchPlan, formatPlan, parsePlan } from './batch-plan';
import { checkItems } from './check-items';
import { differenceOf } from './differences';
import { type BatchItem, fixSeeds, itemsOf } from './expand';
import { inputDigests } from './item-request';

/** What is needed to open a job. */
export interface JobParts {
  readonly services: Services;
  readonly store: ObjectStore;
  readonly file: BatchFile;
  readonly options: RunBatchOptions;
  readonly timeLimitMinutes: number | undefined;
  /** Whether the results are published in the end. */
  readonly publish: boolean;
}

/** A job in the hands of this process, its next item begun. */
export interface OpenJob extends Begun {
  readonly plan: BatchPlan;
  readonly items: readonly BatchItem[];
  readonly models: BatchModels;
  readonly checkpoint: HeldCheckpoint;
}

/**
 * Begins a job: everything is checked and every model is here before its checkpoint is.
 * @param replaced the checkpoint that is given up for it
 * @throws Failure
 */
export async function beginJob(parts: JobParts, replaced: { readonly version: string } | undefined): Promise<OpenJob> {
  const { services, store, file, options } = parts;
  const { definition } = file;
  const seeds = fixSeeds(definition);
  const items = itemsOf(definition, seeds);
  const models = await findModels(services, items, file);
  const inputs = await inputDigests(items, file, options.signal);
  await bringModels(parts, items, models);
  const planned = await planModels(services, models);
  const plan: BatchPlan = {
    version: 1,
    started_at_unix_ms: services.clock.now(),
    definition,
    seeds,
    models: planned,
    inputs
  };
  const begun = beginNext(noProgress(items.length));
  const beginning = { job: file.name, plan: formatPlan(plan), progress: begun.progress, replaced };
  const checkpoint = await HeldCheckpoint.begin(store, beginning, options.signal);
  return { ...begun, plan, items, models, checkpoint };
}

/**
 * Goes on with a job where its checkpoint says, whoever worked on it before.
 * @returns undefined when there is no checkpoint
 * @throws Failure
 */
export async function resumeJob(parts: JobParts): Promise<OpenJob | undefined> {
  const { services, store, file, options } = parts;
  const found = await readCheckpoint(store, file.name, options.signal);
  if (!found) return undefined;
  const plan = planIn(found, store);
  const items = itemsOf(plan.definition, plan.seeds);
  requireSame(differenceOf(plan.definition, file.definition), file.path);
  await requireSameInputs(plan, items, parts);
  const models = await plannedModels(services, plan.models);
  const left = items.filter((_, item) => found.progress.results[item] === undefined);
  await bringModels(parts, left, models);
  const pinned = await pinnedModels(services, models, plan.models);
  const held = await takeOver(parts, found);
  return { ...held, plan, items, models: pinned };
}

/** Pulls the models that are not here, once everything else was found to be in order. */
async function bringModels(
  { services, file, options }: JobParts,
  items: readonly BatchItem[],
  models: BatchModels
): Promise<void> {
  const missing = await missingModels(services, models);
  const isMissing = new Set(missing.map(({ name }) => name));
  const some = (wanted: boolean): BatchModels =>
    new Map([...models].filter(([, { name }]) => isMissing.has(name) === wanted));
  await checkItems(services, items, { file, models: some(false) }, options);
  await pullMissing(services, missing, {
    signal: options.signal,
    onEvent: (event) => options.onEvent({ type: 'pull', event })
  });
  await checkItems(services, items, { file, models: some(true) }, options);
}

function planIn({ plan, progress, manifest }: CheckpointContent, store: ObjectStore): BatchPlan {
  const key = new CheckpointKeys(manifest.job).part(manifest.run, manifest.plan.name);
  let parsed: BatchPlan;
  try {
    parsed = parsePlan(plan);
  } catch (cause) {
    throw tornCheckpoint(store, key, 'makes no sense; perhaps a newer version wrote it', cause);
  }
  if (itemsOf(parsed.definition, parsed.seeds).length === progress.results.length) return parsed;
  throw tornCheckpoint(store, key, 'and the state of the batch do not belong together');
}

async function requireSameInputs(plan: BatchPlan, items: readonly BatchItem[], parts: JobParts): Promise<void> {
  const now = await inputDigests(items, parts.file, parts.options.signal);
  const other = Object.entries(plan.inputs).find(([path, digest]) => now[path] !== digest);
  requireSame(other && `The image ${other[0]} has another content than when the batch began.`, parts.file.path);
}

function requireSame(difference: string | undefined, subject: string): void {
  if (difference === undefined) return;
  throw new Failure('checkpoint-differs', `The batch cannot go on. ${difference}`, {
    subject,
    nextStep: 'Undo the change, or begin anew with --restart; all images are made again then.'
  });
}

/** Somebody may work on the job meanwhile; what counts is what the checkpoint says at the end. */
async function takeOver(
  { store, file, options: { signal } }: JobParts,
  read: CheckpointContent
): Promise<Begun & { readonly checkpoint: HeldCheckpoint }> {
  for (let found: CheckpointContent | undefined = read; found; found = await readCheckpoint(store, file.name, signal)) {
    if (found.manifest.run !== read.manifest.run || found.manifest.phase === 'removing') break;
    const begun = beginNext(found.progress);
    const checkpoint = await HeldCheckpoint.takeOver(store, found, begun.progress, signal);
    if (checkpoint) return { ...begun, checkpoint };
  }
  throw new Failure('overtaken', `Somebody else ended the batch ${file.name}, or began it anew.`, {
    subject: file.name
  });
}

/** Whether there is a checkpoint, and what is to be done with it. */
export type FoundJob =
  | { readonly kind: 'none' }
  /** The job is over, and whoever ended it did not come to remove all of its checkpoint. */
  | { readonly kind: 'over'; readonly rest: Pick<CheckpointContent, 'manifest' | 'version'> }
  | { readonly kind: 'unfinished'; readonly version: string; readonly failure?: Failure };

/** Looks for the checkpoint of a job. @throws Failure of the store */
export async function findJob({ store, file, options: { signal } }: Omit<JobParts, 'services'>): Promise<FoundJob> {
  const found = await findCheckpoint(store, file.name, signal);
  if (!found) return { kind: 'none' };
  const { version } = found;
  if (found.kind === 'torn') return { kind: 'unfinished', version, failure: found.failure };
  return found.manifest.phase === 'removing' ? { kind: 'over', rest: found } : { kind: 'unfinished', version };
}
