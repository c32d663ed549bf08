import type { ModelInputs } from '../../../shared/generation';
import { takenInputs } from '../../engine/arguments/family-rules';
import { identifyModel } from '../../engine/arguments/model-identity';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { soundModel } from './check';

/** Which images a request to a model may name beside the one to start from. @throws Failure unless it is installed and sound */
export async function inputsOfModel(services: Services, known: KnownModel): Promise<ModelInputs> {
  const { files } = await soundModel(services, known);
  return takenInputs(identifyModel(files));
}
