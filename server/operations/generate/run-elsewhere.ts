import { UNKNOWN_BUILD } from '../../engine/arguments/engine-option';
import { prepareInputs } from '../../engine/inputs/prepare-inputs';
import type { RemoteDevice } from '../../engine/remote/remote-device';
import { runOnDevice } from '../../engine/remote/run-on-device';
import { connectDevice } from '../engine/devices';
import { inspectImage } from '../gallery/inspect-image';
import type { Services } from '../services';
import { type GenerateOptions, type RunResult, requestedSize } from './generate-options';
import { prepareRun, type RunParts } from './prepare';
import { withinTimeLimit } from './time-limit';

/** One run on another machine. */
export interface ElsewhereRun extends RunParts {
  readonly device: RemoteDevice;
}

/** Makes a run on another machine, with the same arguments as here. @throws Failure */
export async function runElsewhere(
  services: Services,
  run: ElsewhereRun,
  options: GenerateOptions
): Promise<RunResult> {
  const { model, request, scratch, device } = run;
  const { pool } = services;
  const { signal, onProgress } = options;
  const names = options.repeats?.inputNames;
  const prepared = await prepareInputs(scratch, request, { pool, size: request, names, signal });
  const { images: inputs, advice, notices } = prepared;
  for (const sentence of advice) options.onNotice?.(sentence);
  // What the engine there knows it says itself, in other words than a help text; its threads are its own business.
  const command = await prepareRun(run, { inputs, abilities: UNKNOWN_BUILD, threads: 1 });
  const api = await connectDevice(services, device);
  try {
    const { images, warnings, version } = await withinTimeLimit(options, (limited) =>
      runOnDevice({
        device: device.name,
        api,
        model: model.name,
        arguments: command.options,
        images: request.images ?? 1,
        requested: requestedSize(request),
        hires: request.hires,
        folder: scratch.folder,
        onProgress,
        readImage: (path) => inspectImage(pool, path, limited),
        signal: limited
      })
    );
    return { images, inputs, engine: { version }, warnings: [...advice, ...notices, ...command.unsent, ...warnings] };
  } finally {
    api.close();
  }
}
