import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../shared/failure';
import type { ExaminedImage } from '../../gallery/png/png-look';
import type { FoundImage } from '../result-check';
import { differingSetting, readImageSettings } from './image-settings';
import type { ServerApi } from './server-api';
import type { GenerationBody } from './server-request';

/** One request to an sd-server, of this machine or another. */
export interface JobRequest {
  readonly body: GenerationBody;
  /** How many images are asked for. */
  readonly images: number;
  /** Absolute path of the folder that the images are written into. */
  readonly folder: string;
  /** Decodes and judges a whole PNG file, possibly elsewhere; throws Failure 'bad-image'. */
  readonly readImage: (path: string) => Promise<ExaminedImage>;
}

/** What a job came to. */
export interface JobResult {
  /** Decoded, and with the settings that were asked for; how they look is still to be judged. */
  readonly found: readonly FoundImage[];
  /** The engine as the images name it, in the form of `sd-cli --version`. */
  readonly version: string;
  /** Names of the model's files as the server has them, by what they are to it. */
  readonly models: Readonly<Record<string, string>>;
}

/** How a job is followed. */
export interface JobWatch {
  /** Resolves early when there may be news before the next question is due. */
  readonly news?: () => Promise<unknown>;
  /** Hears of the job's id, before anything is asked about it. */
  readonly onSubmitted?: (id: string) => void;
  /** Explains a job that failed. */
  readonly failure: (reason: string) => Failure;
  readonly signal: AbortSignal;
}

/** How often a job is asked for, in ms. Its answer says nothing of steps, so there is no hurry. */
const INTERVAL_MS = 250;

/** The same when the job is about to be done, in ms. */
const LAST_INTERVAL_MS = 5;

/**
 * Hands a request to an sd-server, waits for it, and checks every image that comes back against the request.
 * @throws Failure 'engine-failed', 'bad-response'; system errors and AbortErrors of the connection
 */
export async function runJob(api: ServerApi, request: JobRequest, watch: JobWatch): Promise<JobResult> {
  const id = await api.submit(request.body, watch.signal);
  watch.onSubmitted?.(id);
  const files = await untilDone(api, id, request, watch);
  if (files.length !== request.images) {
    throw new Failure('engine-failed', `sd-server made only ${files.length} of ${request.images} images.`, {
      nextStep: 'Ask for fewer images at once.'
    });
  }
  const checked: Awaited<ReturnType<typeof checkedImage>>[] = [];
  // One after the other, for an image takes much memory while it is decoded.
  for (const [index, path] of files.entries()) checked.push(await checkedImage(request, path, index));
  const [first] = checked;
  if (!first) throw new Error('a job asks for an image at least');
  return { found: checked.map(({ image }) => image), version: first.version, models: first.models };
}

async function untilDone(api: ServerApi, id: string, request: JobRequest, watch: JobWatch): Promise<readonly string[]> {
  const { signal, news, failure } = watch;
  let isNear = false;
  const near = news?.().finally(() => {
    isNear = true;
  });
  for (;;) {
    const job = await api.job(id, request, signal);
    if (job.status === 'completed') return job.files;
    if (job.status === 'failed') throw failure(job.reason);
    if (job.status === 'cancelled') throw failure('somebody cancelled the job');
    const pause = delay(isNear ? LAST_INTERVAL_MS : INTERVAL_MS, undefined, { signal });
    // The news may come first, and then nobody waits for the pause any more.
    pause.catch(() => undefined);
    await (near && !isNear ? Promise.race([pause, near]) : pause);
  }
}

async function checkedImage({ body, readImage }: JobRequest, path: string, index: number) {
  const found = await readImage(path).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'bad-image') throw error;
    throw new Failure('engine-failed', 'sd-server sent a damaged image.', { nextStep: 'Try again.', cause: error });
  });
  const settings = readImageSettings(found.parameters);
  if (!settings) {
    throw new Failure('engine-failed', 'sd-server sent an image that does not tell how it was made.', {
      nextStep: 'Install a newer sd-server, or generate with sd-cli.'
    });
  }
  const differing = differingSetting(body, settings, index);
  if (differing !== undefined) {
    throw new Failure('engine-failed', `sd-server did not do what was asked for: ${differing}.`, {
      nextStep: 'Correct the request, or generate with sd-cli.'
    });
  }
  const { name, version, commit } = settings.generator;
  const image: FoundImage = { path, seed: settings.seed, found };
  return { image, version: `${name} version ${version}, commit ${commit}`, models: settings.models };
}
