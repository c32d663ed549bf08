import { setImmediate as nextTurn } from 'node:timers/promises';
import { Failure } from '../../../shared/failure';
import { engineArguments, imagesAsNamed } from '../../engine/arguments/engine-arguments';
import { type KnownOptions, UNKNOWN_BUILD } from '../../engine/arguments/engine-option';
import { fillIn } from '../../engine/arguments/fill-in';
import { loraPaths } from '../../engine/arguments/lora-files';
import { identifyModel } from '../../engine/arguments/model-identity';
import { chosenDevice } from '../engine/devices';
import { engineInUse } from '../engine/engine-in-use';
import { type SoundModel, soundModel } from '../generate/check';
import { outputOf, ownLoras } from '../generate/prepare';
import type { Services } from '../services';
import type { BatchFile } from './batch-file';
import { type BatchModels, placed } from './batch-models';
import type { RunBatchOptions } from './batch-options';
import type { BatchItem } from './expand';
import { requestOfItem } from './item-request';

/** Between so many items, others of this process have their turn. */
const CHECKED_AT_ONCE = 50;

/**
 * Finds what keeps an item from being made, as far as that can be told without making it: values that make no sense
 * together, what the model or the engine cannot do, LoRAs that are not there.
 * @param models only items of these are looked at
 * @throws Failure with the place in the batch file; 'engine-missing'
 */
export async function checkItems(
  services: Services,
  items: readonly BatchItem[],
  { file, models }: { readonly file: Pick<BatchFile, 'path' | 'placeOf'>; readonly models: BatchModels },
  options: Pick<RunBatchOptions, 'signal' | 'device' | 'loraFolder'>
): Promise<void> {
  const isElsewhere = chosenDevice(services, options.device) !== undefined;
  const abilities = isElsewhere ? UNKNOWN_BUILD : (await engineInUse(services, options)).abilities;
  const folder = await ownLoras(options.loraFolder ?? services.loraFolder);
  const sound = new Map<string, SoundModel>();
  for (const [index, item] of items.entries()) {
    if (index % CHECKED_AT_ONCE === 0) await nextTurn();
    const known = models.get(item.model);
    if (!known) continue;
    const model = sound.get(item.model) ?? (await soundModel(services, known));
    sound.set(item.model, model);
    try {
      checkItem(item, { file, model, abilities, loras: new Set(loraPaths(model.files, folder).keys()) });
    } catch (error) {
      const field = error instanceof Failure ? (error.subject ?? '') : '';
      throw placed(error, file.placeOf(field === 'prompt' ? item.source.prompt : [...item.source.options, field]));
    }
  }
}

interface Circumstances {
  readonly file: Pick<BatchFile, 'path'>;
  readonly model: SoundModel;
  readonly abilities: KnownOptions;
  readonly loras: ReadonlySet<string>;
}

function checkItem(item: BatchItem, { file, model, abilities, loras }: Circumstances): void {
  const { files, defaults } = model;
  const request = fillIn(requestOfItem(item, file), identifyModel(files), defaults);
  engineArguments({
    files,
    request,
    inputs: imagesAsNamed(request),
    abilities,
    seed: item.seed,
    threads: 1,
    output: outputOf(request),
    loras,
    loraFolder: '.'
  });
}
