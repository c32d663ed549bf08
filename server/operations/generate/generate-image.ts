import { Failure } from '../../../shared/failure';
import type { GenerationRequest, GenerationResult } from '../../../shared/generation';
import { fillIn } from '../../engine/arguments/fill-in';
import { modeOf } from '../../engine/arguments/mode';
import { identifyModel } from '../../engine/arguments/model-identity';
import { memoryAdvice } from '../../engine/memory/memory-advice';
import { withScratch } from '../../engine/scratch';
import { engineInUse } from '../engine/engine-in-use';
import type { KnownModel } from '../known-models';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { soundModel } from './check';
import { keepImages } from './keep';
import { seedFor } from './prepare';
import { type GenerateOptions, runGeneration } from './run';
import { whenItsTurn } from './turn';

/**
 * Generates images with an installed model and puts them into the gallery. Every image is decoded and checked first.
 * @throws Failure
 */
export async function generateImage(
  services: Services,
  known: KnownModel,
  asked: GenerationRequest,
  options: GenerateOptions
): Promise<GenerationResult> {
  requireTrust(services, 'Generating images');
  const startedAt = services.clock.elapsed();
  const model = await soundModel(services, known);
  const request = options.repeats ? asked : fillIn(asked, identifyModel(model.files), model.defaults);
  if (modeOf(request) === 'video') throw noVideos();
  const seed = seedFor(request);
  const engine = await engineInUse(services, options);
  const loraFolder = options.loraFolder ?? services.loraFolder;
  const { log, layout } = services;
  log.info('starting generation', { model: model.name, seed, engine: engine.abilities.version });
  const onProblem = (sentence: string): void => log.warn(sentence);
  return whenItsTurn(services, { model: model.name, request }, options, (hasWaited) =>
    withScratch(layout.scratch, onProblem, async (scratch) => {
      // Somebody may have changed the model meanwhile.
      const sound = hasWaited ? await soundModel(services, known) : model;
      const parts = { model: sound, request, engine, seed, scratch, loraFolder };
      const advice = memoryAdvice(sound.files, request, await services.machineMemory());
      if (advice !== undefined) options.onNotice?.(advice);
      const turnAt = services.clock.elapsed();
      const result = await runGeneration(services, parts, options);
      const engineMs = Math.round(services.clock.elapsed() - turnAt);
      const images = await keepImages(services, parts, {
        ...result,
        milliseconds: engineMs,
        inputNames: options.repeats?.inputNames
      });
      const milliseconds = Math.round(services.clock.elapsed() - startedAt);
      log.info('done generation', { model: model.name, images: images.length, ms: milliseconds });
      const warnings = [...(advice === undefined ? [] : [advice]), ...result.warnings];
      return { model: model.name, images, warnings, milliseconds };
    })
  );
}

function noVideos(): Failure {
  return new Failure('bad-request', 'Videos cannot be kept yet; a single frame can.', {
    subject: 'video_frames',
    nextStep: 'Ask for one frame with video_frames 1.'
  });
}
