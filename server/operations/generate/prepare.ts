import { randomInt } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import type { GenerationRequest } from '../../../shared/generation';
import { engineArguments, type InputImages } from '../../engine/arguments/engine-arguments';
import type { EngineCommand } from '../../engine/arguments/engine-option';
import { modeOf } from '../../engine/arguments/mode';
import type { Scratch } from '../../engine/scratch';
import { engineThreads } from '../../engine/threads';
import type { EngineInUse } from '../engine/engine-in-use';
import type { SoundModel } from './check';

/** Seeds that are drawn lie below this; they are easy to read and to type. */
const SEED_LIMIT = 2 ** 32;

/** The name of the output within the scratch folder; the gallery gives the final one. */
export const OUTPUT = 'image.png';

/** The seed of a request, or one that is drawn for it. */
export function seedFor({ seed }: GenerationRequest): number {
  return seed ?? randomInt(SEED_LIMIT);
}

/** What the engine is called with. @throws Failure 'bad-request', 'engine-unusable' */
export function commandFor(
  model: SoundModel,
  {
    request,
    engine,
    seed,
    scratch,
    inputs
  }: {
    request: GenerationRequest;
    engine: EngineInUse;
    seed: number;
    scratch: Scratch;
    inputs: InputImages;
  }
): EngineCommand {
  const [load = 0] = loadavg();
  return engineArguments({
    mode: modeOf(request),
    files: model.files,
    defaults: model.defaults,
    request,
    inputs,
    abilities: engine.abilities,
    seed,
    threads: engineThreads(availableParallelism(), load),
    output: OUTPUT,
    emptyFolder: scratch.emptyFolder
  });
}
