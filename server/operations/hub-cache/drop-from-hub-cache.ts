import type { HubCacheDeletion } from '../../../shared/hub-cache';
import type { CacheContents } from '../../huggingface/cache/cache-contents';
import { deleteFromCache } from '../../huggingface/cache/delete-from-cache';
import {
  type DeletionPlan,
  planPruning,
  planRepositoryDeletion,
  planRevisionDeletion
} from '../../huggingface/cache/plan-deletion';
import { fileFailure } from '../../platform/system-error';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { findCached, openHubCache, selectCached } from './hub-cache';

type Parts = Pick<Services, 'environment' | 'isTrusted' | 'clock' | 'log'>;

/** What changed less than this ago may be a download under way, in ms. */
const IN_THE_MAKING_MS = 3600 * 1000;

/**
 * Deletes a revision or a whole repository from the hub's cache. What other revisions or repositories use stays, and so
 * does what is so young that another program may be downloading it.
 * @param reference `hf:owner/repo[@revision]`
 * @param dryRun whether only to say what that would free
 * @throws Failure
 */
export async function dropFromHubCache(
  services: Parts,
  reference: string,
  { dryRun }: { readonly dryRun: boolean }
): Promise<HubCacheDeletion> {
  const contents = await openHubCache(services);
  const { repository, revisions, isOneRevision } = findCached(contents, reference);
  // A repository without its last revision is nothing that anybody wants to keep.
  const isWhole = !isOneRevision || revisions.length === repository.revisions.length;
  const plan = isWhole
    ? planRepositoryDeletion(contents, repository, services.clock.now() - IN_THE_MAKING_MS)
    : planRevisionDeletion(contents, repository, revisions);
  return carryOut(services, contents, plan, { reference, dryRun });
}

/**
 * Deletes unfinished downloads and contents that no revision uses, unless they are so young that they may be in the
 * making.
 * @param references `hf:owner/repo`; none means all of the cache
 * @throws Failure
 */
export async function pruneHubCache(
  services: Parts,
  references: readonly string[],
  { dryRun }: { readonly dryRun: boolean }
): Promise<HubCacheDeletion> {
  const contents = await openHubCache(services);
  const repositories = selectCached(contents, references).map(({ repository }) => repository);
  const plan = planPruning(contents, repositories, services.clock.now() - IN_THE_MAKING_MS);
  return carryOut(services, contents, plan, { reference: references.join(', '), dryRun });
}

async function carryOut(
  services: Parts,
  { root }: CacheContents,
  plan: DeletionPlan,
  { reference, dryRun }: { readonly reference: string; readonly dryRun: boolean }
): Promise<HubCacheDeletion> {
  const { freedBytes, keptBytes, arrivingBytes } = plan;
  if (!dryRun) {
    requireTrust(services, 'Deleting from the Hugging Face cache');
    services.log.info('starting deletion', { reference, bytes: freedBytes });
    try {
      await deleteFromCache(root, plan);
    } catch (error) {
      throw fileFailure(error, 'The cache cannot be written to.', root);
    }
    services.log.info('done deletion', { reference });
  }
  return { reference, deleted: !dryRun, freedBytes, keptBytes, arrivingBytes };
}
