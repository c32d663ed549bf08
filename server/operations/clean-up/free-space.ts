import { join } from 'node:path';
import type { Digest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import type { FreedSpace } from '../../../shared/freed-space';
import { removeAbandonedTemporaries } from '../../platform/durable-files';
import { entriesOf } from '../../platform/folder-entries';
import { fileFailure } from '../../platform/system-error';
import { findPartials } from '../../pull/partial/find-partials';
import { collectPartials } from '../../pull/partial/stale-partials';
import type { CacheLayout } from '../../store/cache-layout';
import { collectBlobs } from '../../store/collect-blobs';
import { findLeftovers } from '../../store/recovery';
import { knownModels } from '../models/known-models';
import type { Services } from '../services';
import { collectFetched } from './collect-fetched';
import { cleanUp, partialsKeptMs } from './start-up';

/**
 * Removes what nothing uses any more: what crashes left of installations and removals, unfinished downloads that nobody
 * went on with for as long as the setting says, contents that no installed model lists, what is remembered of files
 * that are gone, and what crashed writers left in the gallery. Safe while others install.
 * @param dryRun says what would be freed and changes nothing
 * @throws Failure, also when only a part cannot be removed; the rest is gone then
 */
export async function freeSpace(services: Services, dryRun: boolean): Promise<FreedSpace> {
  try {
    return await collect(services, dryRun);
  } catch (error) {
    throw fileFailure(error, 'Not everything could be freed.', services.layout.root);
  }
}

async function collect(services: Services, dryRun: boolean): Promise<FreedSpace> {
  const { layout, proofs, clock, log } = services;
  const found = await findLeftovers(layout);
  let fault: unknown;
  const stale = dryRun
    ? await collectPartials(layout.partials, { now: clock.now(), keptMs: partialsKeptMs(services), dryRun })
    : await cleanUp(services).catch((error: unknown) => {
        fault = error;
        return { partials: 0, bytes: 0 };
      });
  const fetched = await collectFetched(services, dryRun);
  const { digests, bytes, isPutOff } = await collectBlobs(layout, {
    dryRun,
    linksGone: fetched.linksGone,
    alsoUsed: async () => new Set([...(await contentsOfUnclear(services)), ...(await fetched.used())])
  });
  const facts = { dryRun, contents: digests.length, partials: stale.partials, leftovers: found.length, isPutOff };
  const resumable = await abandonedBytes(layout.partials);
  if (dryRun) return { ...facts, bytes: bytes + stale.bytes, resumableBytes: Math.max(0, resumable - stale.bytes) };
  const gallery = join(layout.root, 'images', 'sha256');
  for (const folder of await entriesOf(gallery)) await removeAbandonedTemporaries(join(gallery, folder));
  const forgotten = await proofs.collect({ force: true });
  log.info('done collection', { ...facts, bytes, proofs: forgotten.entries });
  if (fault !== undefined) throw fault;
  await requireGone(layout, found);
  return { ...facts, bytes: bytes + stale.bytes + forgotten.bytes, resumableBytes: resumable };
}

/** @throws Failure for leftovers that no clean-up could settle, which recovery leaves to the next start */
async function requireGone(layout: CacheLayout, leftovers: readonly string[]): Promise<void> {
  const left = (await findLeftovers(layout)).filter((entry) => leftovers.includes(entry));
  if (left.length === 0) return;
  throw new Failure('file-access', `What crashes left cannot be removed: ${left.join(', ')}.`, {
    subject: layout.root,
    nextStep: 'Check the permissions of the folder; the log tells more.'
  });
}

/** Bytes of unfinished downloads that nobody is working on. */
async function abandonedBytes(partials: string): Promise<number> {
  const found = await findPartials(partials);
  return found.reduce((sum, partial) => sum + (partial.kind === 'abandoned' ? partial.bytes : 0), 0);
}

/** What healing takes from the store: contents of files that are known to be damaged, and of bundles that do not tell. */
async function contentsOfUnclear(services: Services): Promise<ReadonlySet<Digest>> {
  const used = new Set<Digest>();
  for (const { name, manifest } of await knownModels(services)) {
    const bundle = await services.survey.look(name);
    if (bundle.kind === 'present') {
      for (const { file, problem } of bundle.files) if (problem !== undefined) used.add(file.sha256);
    }
    if (bundle.kind !== 'unreadable') continue;
    for (const { sha256 } of manifest.files) if (sha256 !== undefined) used.add(sha256);
  }
  return used;
}
