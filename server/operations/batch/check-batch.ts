import type { BatchParams } from '../../../shared/batch';
import { requireWritable } from '../../artifacts/writable-store';
import type { Services } from '../services';
import { openStore } from '../stores/open-store';
import { requireTrust } from '../trust';
import { readBatchFile } from './batch-file';
import { findModels, missingModels } from './batch-models';
import type { RunBatchOptions } from './batch-options';
import { checkItems } from './check-items';
import { requireSense } from './check-params';
import { fixSeeds, itemsOf } from './expand';
import { inputDigests } from './item-request';
import type { JobParts } from './open-job';
import { requirePublishable } from './publish-results';

/** What a batch would do. */
export interface BatchCheck {
  readonly job: string;
  readonly items: number;
  readonly models: readonly { readonly name: string; readonly isInstalled: boolean }[];
  /** The store that was named, which was written to for a try; null when none was. */
  readonly store: string | null;
}

/**
 * Checks a batch as far as that can be done without pulling its models; nothing that is written stays.
 * @throws Failure
 */
export async function checkBatch(
  services: Services,
  params: BatchParams,
  options: Pick<RunBatchOptions, 'signal' | 'device' | 'loraFolder'>
): Promise<BatchCheck> {
  requireTrust(services, 'Checking batches');
  requireSense(params);
  const file = await readBatchFile(params.file);
  const items = itemsOf(file.definition, fixSeeds(file.definition));
  const models = await findModels(services, items, file);
  await inputDigests(items, file, options.signal);
  const missing = new Set((await missingModels(services, models)).map(({ name }) => name));
  const installed = new Map([...models].filter(([, { name }]) => !missing.has(name)));
  await checkItems(services, items, { file, models: installed }, options);
  return {
    job: file.name,
    items: items.length,
    models: [...models.values()].map(({ name }) => ({ name, isInstalled: !missing.has(name) })),
    store: params.store === undefined ? null : await checkedStore(services, params.store, { file, params, options })
  };
}

/** @returns its label @throws Failure when checkpoints cannot be written there, or results not be published */
async function checkedStore(
  services: Services,
  named: string,
  { file, params, options }: Pick<JobParts, 'file'> & { params: BatchParams; options: Pick<RunBatchOptions, 'signal'> }
): Promise<string> {
  const store = await openStore(services, named);
  if (params.publish) await requirePublishable({ store, file, options });
  await requireWritable(store, options.signal);
  return store.label;
}
