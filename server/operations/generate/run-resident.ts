import { Failure, messageOf } from '../../../shared/failure';
import { Declined } from '../../engine/resident/declined';
import { findServer } from '../../engine/resident/find-server';
import type { ServerResult } from '../../engine/resident/resident-run';
import { contentKeyOf } from '../engine/resident-models';
import { inspectImage } from '../gallery/inspect-image';
import type { Services } from '../services';
import { type GenerateOptions, type LocalRun, requestedSize } from './generate-options';
import { withinTimeLimit } from './time-limit';

/** What resident mode came to: a result, or why sd-cli is to make the run. */
export type ResidentOutcome =
  | { readonly kind: 'done'; readonly result: ServerResult }
  /** `details`: what the program said, for the log. */
  | { readonly kind: 'declined'; readonly reason: string; readonly details?: string };

/**
 * Makes a run with the model's own server.
 * @param engineArguments as sd-cli would get them
 * @throws Failure as a run of sd-cli does
 */
export async function runResident(
  { residents, pool, engineSettings, layout }: Services,
  { model, request, engine, scratch }: LocalRun,
  engineArguments: readonly string[],
  options: GenerateOptions
): Promise<ResidentOutcome> {
  try {
    const serverPath = await findServer({
      configuredPath: engineSettings.sdServerPath,
      enginePath: engine.path,
      platform: process.platform
    });
    const contentKey = await contentKeyOf(layout.model(model.name), model.manifest);
    const result = await withinTimeLimit(options, (signal) =>
      residents.run({
        serverPath,
        model: model.name,
        contentKey,
        weightBytes: model.manifest.total_size_bytes,
        arguments: engineArguments,
        environment: engine.environment,
        images: request.images ?? 1,
        requested: requestedSize(request),
        hires: request.hires,
        folder: scratch.folder,
        onProgress: options.onProgress,
        readImage: (path) => inspectImage(pool, path, signal),
        signal
      })
    );
    return { kind: 'done', result };
  } catch (error) {
    const declined = declining(error);
    if (!declined) throw error;
    const { reason, details } = declined;
    return {
      kind: 'declined',
      reason: `The model was loaded for this request alone. ${reason}`,
      ...(details !== undefined && { details })
    };
  }
}

/** An sd-server that cannot be used is no reason to make no image. */
function declining(error: unknown): { readonly reason: string; readonly details?: string } | undefined {
  if (error instanceof Declined) return { reason: error.reason };
  const isUnusable = error instanceof Failure && ['engine-missing', 'engine-unusable'].includes(error.code);
  if (!isUnusable) return undefined;
  const { message, cause } = error;
  return { reason: `sd-server cannot be used: ${message}`, ...(cause !== undefined && { details: messageOf(cause) }) };
}
