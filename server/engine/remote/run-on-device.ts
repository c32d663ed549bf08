import { cancelled, Failure, messageOf } from '../../../shared/failure';
import { ProgressReporter } from '../progress';
import { declineReason } from '../resident/abilities';
import { Declined } from '../resident/declined';
import type { ResidentRun, ServerResult } from '../resident/resident-run';
import type { ServerApi, ServerCapabilities } from '../resident/server-api';
import { runJob } from '../resident/server-job';
import { isObject, modelFileNames, type ServerRequest, serverRequest } from '../resident/server-request';
import { checkedResult } from '../result-check';
import { RunRecord } from '../run-record';

/** What a run of a server is told of wherever that runs. */
type SharedParts = 'arguments' | 'images' | 'requested' | 'hires' | 'folder' | 'onProgress' | 'readImage' | 'signal';

/** One run on another machine. Of the files that its arguments name only the names count. */
export interface DeviceRun extends Pick<ResidentRun, SharedParts> {
  /** The device's name in the settings. */
  readonly device: string;
  readonly api: ServerApi;
  readonly model: string;
}

/** How long the request to forget a job may take, in ms. */
const CANCEL_MS = 1000;

/**
 * Makes a run with the sd-server of another machine, which has its model loaded already. It tells nothing of steps, and
 * what it generates cannot be stopped from here: cancelling forgets a job that waits, and the answer of any other.
 * @throws Failure 'network', 'refused-address', 'bad-request', 'engine-failed', 'bad-response', 'cancelled'
 */
export async function runOnDevice(run: DeviceRun): Promise<ServerResult> {
  const { device, api, model, images, requested, hires, folder, readImage, onProgress, signal } = run;
  let job: string | undefined;
  const progress = new ProgressReporter({ model, images, hires, onProgress });
  try {
    const request = await serverRequest(run.arguments);
    checkDevice(device, await api.capabilities(signal), request, images);
    const result = await runJob(
      api,
      { body: request.body, images, folder, readImage },
      {
        signal,
        onSubmitted: (id) => {
          job = id;
          progress.observe({ type: 'phase', phase: 'sampling' });
        },
        failure: (reason) => new Failure('engine-failed', `The device "${device}" made no image: ${reason}.`)
      }
    );
    checkFiles(device, result.models, request);
    progress.flush();
    const facts = { goal: { kind: 'images', count: images }, record: new RunRecord(), requested } as const;
    return { ...checkedResult(result.found, facts), version: result.version };
  } catch (thrown) {
    if (!signal.aborted) throw deviceFailure(device, thrown);
    if (job !== undefined) await api.cancel(job, AbortSignal.timeout(CANCEL_MS)).catch(() => false);
    throw cancelled('The generation');
  } finally {
    progress.stop();
  }
}

/** What a device that cannot be talked to is, in the user's words. */
export function deviceFailure(device: string, thrown: unknown): unknown {
  if (thrown instanceof Declined)
    return new Failure('bad-request', `The device "${device}" cannot do this. ${thrown.reason}`);
  if (thrown instanceof Failure) return thrown;
  return new Failure('network', `The device "${device}" does not answer: ${messageOf(thrown)}.`, {
    nextStep: 'Start its sd-server, check the address in the settings, or choose another device.',
    cause: thrown
  });
}

function checkDevice(
  device: string,
  capabilities: ServerCapabilities,
  { server, body }: ServerRequest,
  images: number
): void {
  const loaded = capabilities.model.name;
  if (!modelFileNames(server).has(loaded)) throw otherModel(device, loaded);
  const reason = declineReason(capabilities, body, images);
  if (reason !== undefined) throw new Declined(reason);
  const there = new Set(capabilities.loras.map(({ path }) => path));
  for (const lora of Array.isArray(body['lora']) ? body['lora'] : []) {
    const path = isObject(lora) ? lora['path'] : undefined;
    if (typeof path === 'string' && !there.has(path)) throw new Declined(`It does not have the LoRA ${path}.`);
  }
}

/** The names of all files that made an image; before, the server tells only one. */
function checkFiles(device: string, models: Readonly<Record<string, string>>, { server }: ServerRequest): void {
  const ours = modelFileNames(server);
  const other = Object.values(models).find((name) => !ours.has(name));
  if (other !== undefined) throw otherModel(device, other);
}

function otherModel(device: string, name: string): Failure {
  return new Failure(
    'engine-failed',
    `The device "${device}" has ${name || 'no model'} loaded, which is not of this model.`,
    {
      subject: device,
      nextStep: 'Start its sd-server with the files of this model, or choose another device.'
    }
  );
}
