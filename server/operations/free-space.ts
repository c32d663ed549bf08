import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import type { FreedSpace } from '../../shared/protocol';
import { removeAbandonedTemporaries } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { fileFailure } from '../platform/system-error';
import { findPartials } from '../pull/find-partials';
import { collectPartials } from '../pull/stale-partials';
import { collectBlobs } from '../store/collect-blobs';
import { countLeftovers } from '../store/recovery';
import { knownModels } from './known-models';
import type { Services } from './services';
import { cleanUpAfterCrashes, partialsKeptMs } from './start-up';

/**
 * Removes what nothing uses any more: what crashes left of installations and removals, unfinished downloads that nobody
 * went on with for as long as the setting says, contents that no installed model lists, what is remembered of files
 * that are gone, and what crashed writers left in the gallery. Safe while others install.
 * @param dryRun says what would be freed and changes nothing
 * @throws Failure
 */
export async function freeSpace(services: Services, dryRun: boolean): Promise<FreedSpace> {
  try {
    return await collect(services, dryRun);
  } catch (error) {
    throw fileFailure(error, 'Freeing space failed.', services.layout.root);
  }
}

async function collect(services: Services, dryRun: boolean): Promise<FreedSpace> {
  const { layout, proofs, clock, log } = services;
  const leftovers = await countLeftovers(layout);
  const stale = dryRun
    ? await collectPartials(layout.partials, { now: clock.now(), keptMs: partialsKeptMs(services), dryRun })
    : await cleanUpAfterCrashes(services);
  const { digests, bytes, isPutOff } = await collectBlobs(layout, {
    dryRun,
    alsoUsed: () => contentsOfUnclear(services)
  });
  const facts = { dryRun, contents: digests.length, partials: stale.partials, leftovers, isPutOff };
  const resumable = await abandonedBytes(layout.partials);
  if (dryRun) return { ...facts, bytes: bytes + stale.bytes, resumableBytes: Math.max(0, resumable - stale.bytes) };
  const gallery = join(layout.root, 'images', 'sha256');
  for (const folder of await entriesOf(gallery)) await removeAbandonedTemporaries(join(gallery, folder));
  const forgotten = await proofs.collect({ force: true });
  log.info('done collection', { ...facts, bytes, proofs: forgotten.entries });
  return { ...facts, bytes: bytes + stale.bytes + forgotten.bytes, resumableBytes: resumable };
}

/** Bytes of unfinished downloads that nobody is working on. */
async function abandonedBytes(partials: string): Promise<number> {
  const found = await findPartials(partials);
  return found.reduce((sum, partial) => sum + (partial.kind === 'abandoned' ? partial.bytes : 0), 0);
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
