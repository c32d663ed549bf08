import type { GenerationRequest, GenerationResult } from '../../../shared/generation';
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
  request: GenerationRequest,
  options: GenerateOptions
): Promise<GenerationResult> {
  requireTrust(services, 'Generating images');
  const startedAt = services.clock.elapsed();
  const model = await soundModel(services, known);
  const seed = seedFor(request);
  const engine = await engineInUse(services, options);
  const { log, layout } = services;
  log.info('starting generation', { model: model.name, seed, engine: engine.abilities.version });
  const onProblem = (sentence: string): void => log.warn(sentence);
  return whenItsTurn(services, { model: model.name, request }, options, (hasWaited) =>
    withScratch(layout.scratch, onProblem, async (scratch) => {
      // Somebody may have changed the model meanwhile.
      const run = { model: hasWaited ? await soundModel(services, known) : model, request, engine, seed, scratch };
      const result = await runGeneration(services, run, options);
      const images = await keepImages(services, run, result.images);
      const milliseconds = Math.round(services.clock.elapsed() - startedAt);
      log.info('done generation', { model: model.name, images: images.length, ms: milliseconds });
      return { model: model.name, images, warnings: result.warnings, milliseconds };
    })
  );
}
