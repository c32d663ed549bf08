import { Failure } from '../../../shared/failure';
import type { GenerationChoices } from '../../../shared/generation';
import { SAMPLING_METHODS, SCHEDULERS } from '../../../shared/sampling';
import { type KnownOptions, UNKNOWN_BUILD } from '../../engine/arguments/engine-option';
import { makesVideos, takenInputs } from '../../engine/arguments/family-rules';
import { modelDefaults } from '../../engine/arguments/fill-in';
import { ignoredBy } from '../../engine/arguments/heeded-values';
import { identifyModel } from '../../engine/arguments/model-identity';
import { knownSettings } from '../../engine/arguments/setting-options';
import { engineInUse } from '../engine/engine-in-use';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { soundModel } from './check';

/**
 * What a request to a model may say, by its files, its family and the engine of this machine.
 * @throws Failure unless the model is installed and sound; what is wrong with the engine the run itself says
 */
export async function choicesOfModel(
  services: Services,
  known: KnownModel,
  signal: AbortSignal
): Promise<GenerationChoices> {
  const { files, defaults } = await soundModel(services, known);
  const model = identifyModel(files);
  const abilities = await abilitiesHere(services, signal);
  const ignored = ignoredBy(model);
  return {
    inputs: takenInputs(model),
    settings: knownSettings(abilities).filter(
      (name) => !ignored.has(name) && !(name === 'hires' && makesVideos(model))
    ),
    samplingMethods: namesOf(abilities.samplingMethods, SAMPLING_METHODS),
    schedulers: namesOf(abilities.schedulers, SCHEDULERS),
    defaults: modelDefaults(model, defaults)
  };
}

/** Of an engine that is elsewhere, or that cannot or must not be asked, nothing is known. */
async function abilitiesHere(services: Services, signal: AbortSignal): Promise<KnownOptions> {
  if (!services.isTrusted()) return UNKNOWN_BUILD;
  try {
    return (await engineInUse(services, { signal })).abilities;
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    return UNKNOWN_BUILD;
  }
}

/** What a build says that it knows, else what sd-cli is known to know. */
function namesOf(told: ReadonlySet<string>, usual: readonly string[]): readonly string[] {
  return told.size === 0 ? usual : [...told];
}
