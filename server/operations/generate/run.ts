import type { GenerationRequest } from '../../../shared/generation';
import { modeOf } from '../../engine/arguments/mode';
import type { RunGoal } from '../../engine/explain';
import { prepareInputs } from '../../engine/inputs/prepare-inputs';
import { memoryAdvice } from '../../engine/memory/memory-advice';
import { previewOptions } from '../../engine/preview';
import { runEngine } from '../../engine/run';
import type { ImageSize } from '../../engine/run-record';
import { freeThreads } from '../../engine/threads';
import type { EngineInUse } from '../engine/engine-in-use';
import { inspectImage } from '../gallery/inspect-image';
import { inspectVideo } from '../gallery/inspect-video';
import type { Services } from '../services';
import { type GenerateOptions, type LocalRun, type RunResult, requestedSize } from './generate-options';
import { outputOf, prepareRun } from './prepare';
import { runResident } from './run-resident';

/** Runs the engine in a scratch folder, where its images are afterwards, checked. @throws Failure */
export async function runGeneration(services: Services, run: LocalRun, options: GenerateOptions): Promise<RunResult> {
  const { pool, log, engineSettings } = services;
  const { signal, onProgress, onPreview, timeLimitMinutes } = options;
  const { model, request, engine, seed, scratch } = run;
  const names = options.repeats?.inputNames;
  const prepared = await prepareInputs(scratch, request, { pool, size: request, names, signal });
  const { images: inputs, notices, size } = prepared;
  const memory = memoryAdvice(model.files, sized(request, size), await services.machineMemory());
  const advice = [memory ?? [], prepared.advice].flat();
  for (const sentence of advice) options.onNotice?.(sentence);
  const { abilities } = engine;
  const { rpcServers } = engineSettings;
  const command = await prepareRun(run, { inputs, abilities, threads: await freeThreads(), rpcServers });
  const notes = [...advice, ...notices, ...command.unsent];
  if (engineSettings.resident) {
    const outcome = await runResident(services, run, command.options, options);
    if (outcome.kind === 'done') {
      const { images, warnings, version } = outcome.result;
      return { images, inputs, warnings: [...notes, ...warnings], engine: { version } };
    }
    const { reason, details } = outcome;
    log.info('declined resident mode', { model: model.name, reason, ...(details !== undefined && { details }) });
    notes.push(reason);
  }
  const isVideo = modeOf(request) === 'video';
  const preview = onPreview && !isVideo && canPreview(engine) ? { file: PREVIEW, onFrame: onPreview } : undefined;
  const { images, warnings } = await runEngine({
    enginePath: engine.path,
    arguments: preview ? [...command.options, ...previewOptions(PREVIEW)] : command.options,
    environment: engine.environment,
    scratch,
    output: outputOf(request),
    goal: goalOf(request),
    hires: request.hires,
    requested: requestedSize(request),
    seed,
    model: model.name,
    onProgress,
    preview,
    timeLimitMinutes,
    readImage: (path) => (isVideo ? inspectVideo(path) : inspectImage(pool, path, signal)),
    signal
  });
  const { version, digest } = abilities;
  return { images, inputs, warnings: [...notes, ...warnings], engine: { version, digest } };
}

/** An image that a run begins with gives it its size, unless the request says both sides. */
function sized(request: GenerationRequest, size: ImageSize | undefined): GenerationRequest {
  const { width, height } = request;
  return size === undefined || (width !== undefined && height !== undefined) ? request : { ...request, ...size };
}

function goalOf(request: GenerationRequest): RunGoal {
  const { images = 1, video_frames: frames = 1 } = request;
  return modeOf(request) === 'video' ? { kind: 'video', frames } : { kind: 'images', count: images };
}

/** The name of the previews within the scratch folder. */
const PREVIEW = 'preview.png';

/** A build that lacks previews makes the same image without them. */
function canPreview({ abilities: { options } }: EngineInUse): boolean {
  return options.has('--preview') && options.has('--preview-path');
}
