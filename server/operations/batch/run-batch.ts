import { pathToFileURL } from 'node:url';
import type { BatchParams, BatchResult, BatchSummary } from '../../../shared/batch';
import { Failure } from '../../../shared/failure';
import type { GeneratedImage } from '../../../shared/generation';
import { readCheckpoint } from '../../artifacts/checkpoints/find-checkpoint';
import { HeldCheckpoint } from '../../artifacts/checkpoints/held-checkpoint';
import { counts, type Progress } from '../../artifacts/checkpoints/progress';
import { nonce, ownerTag, ownIdentity } from '../../platform/process-identity';
import type { Services } from '../services';
import { openStore } from '../stores/open-store';
import { requireTrust } from '../trust';
import { readBatchFile } from './batch-file';
import type { RunBatchOptions } from './batch-options';
import { requireSense } from './check-params';
import { itemCount } from './expand';
import { exportBatch } from './export-batch';
import { bringImage, imageHere } from './image-transfer';
import { JobRecords } from './job-records';
import { beginJob, type FoundJob, findJob, type JobParts, type OpenJob, resumeJob } from './open-job';
import { publishResults, requirePublishable } from './publish-results';
import { type MadeImages, runItems } from './run-items';
import type { RunningBatch } from './running-batches';

/** The most warnings that a result carries. */
const MOST_WARNINGS = 100;

/**
 * Runs a batch from its beginning or from where it stopped, whoever ran it before. After each image its checkpoint is
 * written; it is removed when all images are in the gallery of this machine, and published if that is asked for.
 * @throws Failure; the checkpoint then says how far the job is
 */
export async function runBatch(
  services: Services,
  params: BatchParams,
  options: RunBatchOptions
): Promise<BatchResult> {
  requireTrust(services, 'Running batches');
  requireSense(params);
  const file = await readBatchFile(params.file);
  const address = params.store ?? pathToFileURL(services.layout.batches).href;
  const store = await openStore(services, address);
  return runBatchIn({ services, store, file, options }, { ...params, store: address });
}

/** The same in a store that is open already. @throws Failure */
export async function runBatchIn(
  given: Omit<JobParts, 'timeLimitMinutes' | 'publish'>,
  params: BatchParams & { readonly store: string }
): Promise<BatchResult> {
  const { services, store, file, options } = given;
  const warnings = new Set<string>();
  const told = { ...options, onEvent: tellOnce(options, warnings) };
  const parts: JobParts = {
    ...given,
    options: told,
    timeLimitMinutes: params.timeLimitMinutes,
    publish: params.publish === true
  };
  const summary: BatchSummary = {
    job: file.name,
    file: file.path,
    store: params.store,
    state: 'running',
    items: itemCount(file.definition),
    done: 0,
    failed: 0,
    isHere: true,
    startedAtUnixMs: services.clock.now()
  };
  return services.runningBatches.run(summary, async (batch) => {
    if (parts.publish) await requirePublishable(parts);
    const found = await findJob(parts);
    if (found.kind === 'over' && params.resume) {
      return { ...(await endRest(parts, found.rest)), warnings: [parts.publish ? `${OVER} ${NOT_PUBLISHED}` : OVER] };
    }
    if (found.kind === 'over') await HeldCheckpoint.removeRest(store, found.rest, options.signal);
    const job = await openJob(parts, params, found);
    const result = await runOpenJob(parts, job, batch);
    return { ...result, warnings: [...warnings] };
  });
}

const OVER = 'The batch was over; only what was left of its checkpoint was removed.';

const NOT_PUBLISHED = 'Its results are published if the run that ended it was asked to; the list of the store says so.';

/** @throws Failure 'checkpoint-exists', 'checkpoint-missing', 'bad-checkpoint', and what keeps from beginning */
async function openJob(parts: JobParts, { resume, restart }: BatchParams, found: FoundJob): Promise<OpenJob> {
  const { name } = parts.file;
  if (resume) {
    const job = await resumeJob(parts);
    if (job) return job;
    throw new Failure('checkpoint-missing', `There is nothing to resume: the store has no checkpoint of ${name}.`, {
      subject: parts.store.label,
      nextStep: 'Run the batch without --resume, or name the store that it was begun with.'
    });
  }
  if (found.kind !== 'unfinished') return beginJob(parts, undefined);
  if (restart) return beginJob(parts, found);
  if (found.failure) throw found.failure;
  throw new Failure('checkpoint-exists', `The batch ${name} was begun before and is not done.`, {
    subject: parts.store.label,
    nextStep: 'Go on with --resume, or begin anew with --restart; all images are made again then.'
  });
}

async function runOpenJob(parts: JobParts, job: OpenJob, batch: RunningBatch): Promise<BatchResult> {
  const { services } = parts;
  batch.update({ startedAtUnixMs: job.plan.started_at_unix_ms, items: job.items.length, ...counts(job.progress) });
  const note = (state: BatchSummary['state'], images?: readonly GeneratedImage[]): Promise<void> =>
    noteJob(services, { ...batch.summary, state }, images);
  await note('running');
  try {
    const before = counts(job.progress).done;
    const { progress, made } = await runItems(parts, job, batch, () => note('running'));
    const images = await gather(parts, job, progress, made);
    // As long as there is the checkpoint, whoever resumes the batch repeats what did not end.
    const published = parts.publish ? await publishResults(parts, job, progress, images) : undefined;
    await job.checkpoint.remove(parts.options.signal);
    await note('done', [...images.values()]);
    await tidyRecords(services);
    const result = resultOf(parts.file.name, progress, { images, made: made.size, reused: before });
    return { ...result, ...(published && { published }) };
  } catch (error) {
    await note('stopped');
    throw stopped(error, batch.summary);
  }
}

/** The same failure, and how the batch goes on. */
function stopped(error: unknown, { job, done, items }: BatchSummary): unknown {
  if (!(error instanceof Failure) || error.code === 'overtaken' || error.code === 'bad-checkpoint') return error;
  const { code, subject, nextStep, remedy } = error;
  const isCancelled = code === 'cancelled';
  const message = isCancelled ? `The batch ${job} was stopped after ${done} of ${items} images.` : error.message;
  const next = 'Then resume the batch: it goes on where it stopped.';
  return new Failure(code, message, {
    nextStep: isCancelled || nextStep === undefined ? next.replace('Then r', 'R') : `${nextStep} ${next}`,
    remedy,
    cause: error,
    ...(subject !== undefined && !isCancelled && { subject })
  });
}

/** Brings what was made elsewhere into the gallery, and copies everything to where the user wants it. */
async function gather(
  { services, options }: JobParts,
  { items, checkpoint }: OpenJob,
  { results }: Progress,
  made: MadeImages
): Promise<ReadonlyMap<number, GeneratedImage>> {
  const images = new Map<number, GeneratedImage>();
  for (const [index, result] of results.entries()) {
    if (result?.kind !== 'image') continue;
    images.set(index, made.get(index) ?? (await bringImage(services, checkpoint, result.id, options.signal)));
  }
  if (options.output !== undefined) await exportBatch(services, items, images, options.output);
  return images;
}

/** Ends the work of a runner that was stopped while it removed the checkpoint of a job whose images are all made. */
async function endRest(
  { services, store, file, options: { signal } }: JobParts,
  rest: Extract<FoundJob, { kind: 'over' }>['rest']
): Promise<BatchResult> {
  const progress = await progressOf(store, file.name, signal);
  const images = new Map<number, GeneratedImage>();
  for (const [index, result] of progress.results.entries()) {
    const image = result?.kind === 'image' ? await imageHere(services, result.id) : undefined;
    if (image) images.set(index, image);
  }
  await HeldCheckpoint.removeRest(store, rest, signal);
  return resultOf(file.name, progress, { images, made: 0, reused: images.size });
}

/** Nothing of it may be left to read. */
async function progressOf(store: JobParts['store'], job: string, signal: AbortSignal): Promise<Progress> {
  const nothing: Progress = { results: [], attempts: new Map() };
  try {
    return (await readCheckpoint(store, job, signal))?.progress ?? nothing;
  } catch (error) {
    if (error instanceof Failure && error.code === 'bad-checkpoint') return nothing;
    throw error;
  }
}

function resultOf(
  job: string,
  { results }: Progress,
  { images, ...run }: { images: ReadonlyMap<number, GeneratedImage>; made: number; reused: number }
): BatchResult {
  return {
    job,
    items: results.length,
    ...run,
    failed: results.flatMap((result, index) =>
      result?.kind === 'failed' ? [{ item: index + 1, failure: result.failure }] : []
    ),
    images: [...images.values()],
    warnings: []
  };
}

async function noteJob(services: Services, summary: BatchSummary, images?: readonly GeneratedImage[]): Promise<void> {
  const { job, file, store, state, items, done, failed, startedAtUnixMs } = summary;
  const owner = ownerTag(await ownIdentity(), nonce());
  const record = {
    version: 1,
    job,
    file,
    store,
    state,
    items,
    done,
    failed,
    owner,
    started_at_unix_ms: startedAtUnixMs,
    ...(images && { images: images.map(({ id }) => id) })
  };
  try {
    await new JobRecords(services.layout.batchRecords).write({ ...record, version: 1 });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A list that is not up to date is no reason to end a job.
    services.log.warn('cannot note batch', { job, reason: error.message });
  }
}

/** Nor is a list that cannot be shortened: the job is over, and its checkpoint gone. */
async function tidyRecords({ layout, log }: Services): Promise<void> {
  try {
    await new JobRecords(layout.batchRecords).tidy();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn('cannot tidy batches', { reason: error.message });
  }
}

/** Warnings come with every image; each is told once. */
function tellOnce({ onEvent }: RunBatchOptions, told: Set<string>): RunBatchOptions['onEvent'] {
  return (event) => {
    if (event.type === 'notice') {
      if (told.has(event.sentence) || told.size >= MOST_WARNINGS) return;
      told.add(event.sentence);
    }
    onEvent(event);
  };
}
