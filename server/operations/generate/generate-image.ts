import type { GenerationRequest, GenerationResult } from '../../../shared/generation';
import { fillIn } from '../../engine/arguments/fill-in';
import { adviceOnValues } from '../../engine/arguments/heeded-values';
import { identifyModel } from '../../engine/arguments/model-identity';
import { withScratch } from '../../engine/scratch';
import { chosenDevice } from '../engine/devices';
import { engineInUse } from '../engine/engine-in-use';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { checkedLoras } from './asked-loras';
import { soundModel } from './check';
import type { GenerateOptions, RunResult } from './generate-options';
import { keepImages } from './keep';
import { type RunParts, seedFor } from './prepare';
import { runGeneration } from './run';
import { runElsewhere } from './run-elsewhere';
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
  const identity = identifyModel(model.files);
  const request = options.repeats ? asked : fillIn(asked, identity, model.defaults);
  // What is repeated says what the defaults were, too.
  const valueAdvice = options.repeats ? [] : adviceOnValues(asked, identity);
  const seed = seedFor(request);
  const place = await placeFor(services, options);
  const loraFolder = options.loraFolder ?? services.loraFolder;
  const { log, layout } = services;
  log.info('starting generation', { model: model.name, seed, engine: place.engine });
  const onProblem = (sentence: string): void => log.warn(sentence);
  const start = async (hasWaited: boolean): Promise<GenerationResult> =>
    withScratch(layout.scratch, onProblem, async (scratch) => {
      // Somebody may have changed the model meanwhile.
      const sound = hasWaited ? await soundModel(services, known) : model;
      const parts = { model: sound, request, seed, scratch, loraFolder };
      const ownLoras = await checkedLoras(services, parts, options.signal);
      const turnAt = services.clock.elapsed();
      const result = await place.make(parts);
      const engineMs = Math.round(services.clock.elapsed() - turnAt);
      const kept = await keepImages(
        services,
        { ...parts, engine: result.engine, ownLoras },
        {
          ...result,
          milliseconds: engineMs,
          inputNames: options.repeats?.inputNames
        }
      );
      const milliseconds = Math.round(services.clock.elapsed() - startedAt);
      log.info('done generation', { model: model.name, images: kept.images.length, ms: milliseconds });
      const warnings = [...valueAdvice, ...result.warnings, ...kept.warnings];
      return { model: model.name, images: kept.images, warnings, milliseconds };
    });
  // Another machine has a queue of its own.
  return place.isHere ? whenItsTurn(services, { model: model.name, request }, options, start) : start(false);
}

/** Where a run is made. */
interface Place {
  /** The engine, or the name of the device that has one, for the log. */
  readonly engine: string;
  readonly isHere: boolean;
  readonly make: (parts: RunParts) => Promise<RunResult>;
}

async function placeFor(services: Services, options: GenerateOptions): Promise<Place> {
  const device = chosenDevice(services, options.device);
  if (device) {
    return {
      engine: device.name,
      isHere: false,
      make: (parts) => runElsewhere(services, { ...parts, device }, options)
    };
  }
  const engine = await engineInUse(services, options);
  return {
    engine: engine.abilities.version,
    isHere: true,
    make: (parts) => runGeneration(services, { ...parts, engine }, options)
  };
}
