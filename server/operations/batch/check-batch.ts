import type { Services } from '../services';
import { requireTrust } from '../trust';
import { readBatchFile } from './batch-file';
import { findModels, missingModels } from './batch-models';
import type { RunBatchOptions } from './batch-options';
import { checkItems } from './check-items';
import { fixSeeds, itemsOf } from './expand';
import { inputDigests } from './item-request';

/** What a batch would do. */
export interface BatchCheck {
  readonly job: string;
  readonly items: number;
  readonly models: readonly { readonly name: string; readonly isInstalled: boolean }[];
}

/**
 * Checks a batch as far as that can be done without pulling its models; nothing is written.
 * @param path absolute
 * @throws Failure
 */
export async function checkBatch(
  services: Services,
  path: string,
  options: Pick<RunBatchOptions, 'signal' | 'device' | 'loraFolder'>
): Promise<BatchCheck> {
  requireTrust(services, 'Checking batches');
  const file = await readBatchFile(path);
  const items = itemsOf(file.definition, fixSeeds(file.definition));
  const models = await findModels(services, items, file);
  await inputDigests(items, file, options.signal);
  const missing = new Set((await missingModels(services, models)).map(({ name }) => name));
  const installed = new Map([...models].filter(([, { name }]) => !missing.has(name)));
  await checkItems(services, items, { file, models: installed }, options);
  return {
    job: file.name,
    items: items.length,
    models: [...models.values()].map(({ name }) => ({ name, isInstalled: !missing.has(name) }))
  };
}
