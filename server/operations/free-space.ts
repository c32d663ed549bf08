import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import type { FreedSpace } from '../../shared/protocol';
import { removeAbandonedTemporaries } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { collectBlobs } from '../store/collect-blobs';
import { knownModels } from './known-models';
import type { Services } from './services';

/**
 * Removes what nothing uses any more: contents that no installed model lists, what is remembered of files that are
 * gone, and what crashed writers left in the gallery. Stale partials go at every start. Safe while others install.
 * @param dryRun says what contents would be freed and changes nothing
 */
export async function freeSpace(services: Services, dryRun: boolean): Promise<FreedSpace> {
  const { layout, proofs, log } = services;
  const { digests, bytes, isPutOff } = await collectBlobs(layout, {
    dryRun,
    alsoUsed: () => contentsOfUnclear(services)
  });
  if (dryRun) return { dryRun, contents: digests.length, bytes, isPutOff };
  const gallery = join(layout.root, 'images', 'sha256');
  for (const folder of await entriesOf(gallery)) await removeAbandonedTemporaries(join(gallery, folder));
  const forgotten = await proofs.collect({ force: true });
  log.info('done collection', { contents: digests.length, bytes, proofs: forgotten.entries });
  return { dryRun, contents: digests.length, bytes: bytes + forgotten.bytes, isPutOff };
}

/** What the registry knows of models whose bundles do not tell: healing those takes their contents from the store. */
async function contentsOfUnclear(services: Services): Promise<ReadonlySet<Digest>> {
  const used = new Set<Digest>();
  for (const { name, manifest } of await knownModels(services)) {
    if ((await services.survey.look(name)).kind !== 'unreadable') continue;
    for (const { sha256 } of manifest.files) if (sha256 !== undefined) used.add(sha256);
  }
  return used;
}
