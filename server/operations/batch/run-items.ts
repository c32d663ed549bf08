import { Failure, type FailureCode } from '../../../shared/failure';
import type { GeneratedImage } from '../../../shared/generation';
import type { GenerationProgress } from '../../../shared/job-events';
import {
  beginNext,
  counts,
  type Progress,
  withFailure,
  withImage,
  withoutAttempt
} from '../../artifacts/checkpoints/progress';
import { parseImageId } from '../../gallery/incoming-image';
import { generateImage } from '../generate/generate-image';
import { storeImage } from './image-transfer';
import { requestOfItem } from './item-request';
import type { JobParts, OpenJob } from './open-job';
import type { RunningBatch } from './running-batches';

/** Failures that an item itself is the reason of, so that trying others makes sense. */
const FAULTS_OF_ITEMS: ReadonlySet<FailureCode> = new Set(['engine-failed', 'bad-request', 'bad-image']);

/** So long the last checkpoint may take after the user cancelled, in ms. */
const GRACE_MS = 10_000;

/** The images that this run made, by item, from 0. */
export type MadeImages = ReadonlyMap<number, GeneratedImage>;

/** What the items of a job came to. */
export interface ItemsRun {
  readonly progress: Progress;
  readonly made: MadeImages;
}

/**
 * Makes every item that has no result, with a checkpoint after each.
 * @param changed called when another item is done
 * @throws Failure: the job stopped, and its checkpoint says where
 */
export async function runItems(
  parts: JobParts,
  job: OpenJob,
  batch: RunningBatch,
  changed: () => Promise<void>
): Promise<ItemsRun> {
  const { options } = parts;
  const grace = graceSignal(options.signal);
  const items = job.items.length;
  const made = new Map<number, GeneratedImage>();
  let { progress, item } = job;
  while (item !== undefined) {
    const outcome = await attempt({ ...parts, grace }, job, batch, { progress, item });
    const next = beginNext(outcome.progress);
    await job.checkpoint.advance(next.progress, 'running', grace);
    if (outcome.image) {
      made.set(item, outcome.image);
      options.onEvent({ type: 'made', item: item + 1, items, image: outcome.image });
    }
    for (const [index, result] of next.progress.results.entries()) {
      if (result?.kind !== 'failed' || progress.results[index]) continue;
      options.onEvent({ type: 'passed_over', item: index + 1, items, failure: result.failure });
    }
    ({ progress, item } = next);
    batch.update(counts(progress));
    await changed();
  }
  return { progress, made };
}

interface Attempt {
  readonly progress: Progress;
  readonly item: number;
}

interface AttemptParts extends JobParts {
  /** Aborts some time after the user cancelled. */
  readonly grace: AbortSignal;
}

/** @throws Failure for whatever is no fault of the item; the attempt is taken back then */
async function attempt(
  parts: AttemptParts,
  job: OpenJob,
  batch: RunningBatch,
  { progress, item }: Attempt
): Promise<{ readonly progress: Progress; readonly image?: GeneratedImage }> {
  const { services, grace } = parts;
  try {
    const image = await makeItem(parts, job, batch, item);
    const id = parseImageId(image.id);
    await storeImage(services, job.checkpoint, id, grace);
    return { progress: withImage(progress, item, id), image };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (FAULTS_OF_ITEMS.has(error.code)) return { progress: withFailure(progress, item, error.toJSON()) };
    await takeBack(job, withoutAttempt(progress, item), grace);
    throw error;
  }
}

/** The reason why a job stops counts, not one why that could not be written either. */
async function takeBack({ checkpoint }: OpenJob, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await checkpoint.advance(progress, 'stopped', signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

async function makeItem(
  { services, file, options, timeLimitMinutes }: JobParts,
  { items, models }: OpenJob,
  batch: RunningBatch,
  index: number
): Promise<GeneratedImage> {
  const item = items[index];
  const model = item && models.get(item.model);
  if (!item || !model) throw new Error('an item has a model');
  const { signal, loraFolder, device } = options;
  const current = { model: model.name, prompt: item.prompt, item: index + 1 };
  const tell = (generation?: GenerationProgress): void => {
    batch.update({ current: { ...current, ...(generation && { progress: generation }) } });
    const { job, file: path, items: total, done, failed } = batch.summary;
    const progress = {
      job,
      file: path,
      item: index + 1,
      items: total,
      done,
      failed,
      ...(generation && { generation })
    };
    options.onEvent({ type: 'progress', progress });
  };
  tell();
  const { images, warnings } = await generateImage(services, model, requestOfItem(item, file), {
    signal,
    timeLimitMinutes,
    loraFolder,
    device,
    onProgress: tell
  });
  for (const sentence of warnings) options.onEvent({ type: 'notice', sentence });
  const [image] = images;
  if (!image) throw new Error('a run that did not fail gave an image');
  return image;
}

/** Aborts some time after another signal, so that what was just made can still be noted. */
function graceSignal(signal: AbortSignal): AbortSignal {
  const grace = new AbortController();
  const begin = (): void => void setTimeout(() => grace.abort(), GRACE_MS).unref();
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return grace.signal;
}
