import { basename, join } from 'node:path';
import { visibleText } from '../../../shared/file-name';
import type { GenerationResult } from '../../../shared/generation';
import { upscaleArguments } from '../../engine/arguments/upscale-arguments';
import { TAKE_IMAGE_TASK, type TakeImageTask } from '../../engine/inputs/take-image';
import { turnedAdvice } from '../../engine/inputs/turned-images';
import { runEngine } from '../../engine/run';
import { type Scratch, withScratch } from '../../engine/scratch';
import { freeThreads } from '../../engine/threads';
import { type EngineInUse, engineInUse } from '../engine/engine-in-use';
import { inspectImage } from '../gallery/inspect-image';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { type SoundModel, soundModel } from './check';
import type { GenerateOptions } from './generate-options';
import { keepImages, UPSCALE } from './keep';
import { whenItsTurn } from './turn';

/** The name of the larger image within the scratch folder. */
const OUTPUT = 'image.png';

/** What somebody who waits for a larger image hears and may do. */
export interface UpscaleOptions
  extends Pick<GenerateOptions, 'signal' | 'onProgress' | 'onNotice' | 'timeLimitMinutes'> {
  /** What the image is called; absent: the name of its file. */
  readonly name?: string;
}

/**
 * Enlarges an image with a model that is made for that, and puts what comes out into the gallery.
 * @param image absolute path
 * @throws Failure, also when the engine wrote the image as it was
 */
export async function upscaleImage(
  services: Services,
  known: KnownModel,
  image: string,
  options: UpscaleOptions
): Promise<GenerationResult> {
  requireTrust(services, 'Enlarging images');
  const startedAt = services.clock.elapsed();
  const { name = basename(image) } = options;
  const model = await soundModel(services, known);
  const engine = await engineInUse(services, options);
  const { log, layout } = services;
  log.info('starting enlarging', { model: model.name, engine: engine.abilities.version });
  const onProblem = (sentence: string): void => log.warn(sentence);
  return whenItsTurn(services, { model: model.name, request: {} }, options, (hasWaited) =>
    withScratch(layout.scratch, onProblem, async (scratch) => {
      // Somebody may have changed the model meanwhile.
      const sound = hasWaited ? await soundModel(services, known) : model;
      const turnAt = services.clock.elapsed();
      const result = await enlarge(services, { model: sound, engine, scratch, image, name }, options);
      const engineMs = Math.round(services.clock.elapsed() - turnAt);
      const request = { prompt: '', init_image: image };
      const { version, digest } = engine.abilities;
      const parts = {
        model: sound,
        engine: { version, digest },
        request,
        label: `${name}, enlarged`,
        mode: UPSCALE
      };
      const { images } = await keepImages(services, parts, {
        ...result,
        milliseconds: engineMs,
        inputNames: new Map([[image, name]])
      });
      const milliseconds = Math.round(services.clock.elapsed() - startedAt);
      log.info('done enlarging', { model: model.name, ms: milliseconds });
      return { model: model.name, images, warnings: result.warnings, milliseconds };
    })
  );
}

interface Enlarging {
  readonly model: SoundModel;
  readonly engine: EngineInUse;
  readonly scratch: Scratch;
  readonly image: string;
  /** What the image is called. */
  readonly name: string;
}

async function enlarge(
  { pool }: Services,
  { model, engine, scratch, image, name }: Enlarging,
  { signal, onProgress, onNotice, timeLimitMinutes }: UpscaleOptions
) {
  const target = join(scratch.folder, 'init');
  const taken = await pool.start<TakeImageTask>(TAKE_IMAGE_TASK, { path: image, target }).result;
  const advice = turnedAdvice([{ ...taken, name: visibleText(name) }]);
  for (const sentence of advice) onNotice?.(sentence);
  const { options, unsent } = upscaleArguments({
    files: model.files,
    image: taken.path,
    abilities: engine.abilities,
    threads: await freeThreads(),
    output: OUTPUT
  });
  const { images, warnings } = await runEngine({
    enginePath: engine.path,
    arguments: options,
    environment: engine.environment,
    scratch,
    output: OUTPUT,
    goal: { kind: 'enlarged', from: taken },
    seed: 0,
    model: model.name,
    onProgress,
    timeLimitMinutes,
    readImage: (path) => inspectImage(pool, path, signal),
    signal
  });
  return { images, inputs: { initImage: taken.path }, warnings: [...advice, ...unsent, ...warnings] };
}
