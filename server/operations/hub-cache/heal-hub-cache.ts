import { parseDigest } from '../../../shared/digest';
import type { HubCacheHealing } from '../../../shared/hub-cache';
import type { HubCacheProgress } from '../../../shared/job-events';
import type { CacheContents, CachedRepository } from '../../huggingface/cache/cache-contents';
import { healRepository } from '../../huggingface/cache/heal-repository';
import type { Repair } from '../../huggingface/cache/plan-healing';
import type { NewContent } from '../../huggingface/cache/replace-content';
import { repositoryFileUrl } from '../../huggingface/hub-address';
import { referenceText } from '../../huggingface/repository';
import { Throttle } from '../../platform/throttle';
import { fileSource } from '../../pull/local/file-source';
import type { Source } from '../../pull/source';
import { hubFileSource } from '../pull/source-of';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { type CachedSelection, openHubCache, selectCached } from './hub-cache';
import { verifySelection } from './verify-hub-cache';

export interface HealHubCacheOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: HubCacheProgress) => void;
  /** Told of every repository as soon as it is done. */
  readonly onHealed?: (healing: HubCacheHealing) => void;
}

/**
 * Verifies files of the hub's cache and brings back those that are provably corrupt, in the revision that they belong
 * to. What is sound or cannot be proved is left as it is.
 * @param references `hf:owner/repo[@revision]`; none means all of the cache
 * @throws Failure
 */
export async function healHubCache(
  services: Services,
  references: readonly string[],
  options: HealHubCacheOptions
): Promise<readonly HubCacheHealing[]> {
  requireTrust(services, 'Healing the Hugging Face cache');
  const contents = await openHubCache(services);
  const healings: HubCacheHealing[] = [];
  for (const selection of selectCached(contents, references)) {
    const healing = await healSelection(services, contents, selection, options);
    options.onHealed?.(healing);
    healings.push(healing);
  }
  return healings;
}

async function healSelection(
  services: Services,
  contents: CacheContents,
  selection: CachedSelection,
  options: HealHubCacheOptions
): Promise<HubCacheHealing> {
  const { clock, hasher } = services;
  const startedAt = clock.elapsed();
  const { repository } = selection;
  const { report, files: judged } = await verifySelection(services, contents, selection, options);
  let transferredBytes = 0;
  const fetch = async (repair: Repair): Promise<NewContent> => {
    const { content, receivedBytes } = await fetchContent(services, repository, repair, options);
    transferredBytes += receivedBytes;
    return content;
  };
  const { root } = contents;
  const { files, repairs } = await healRepository(repository, judged, { root, hasher, signal: options.signal, fetch });
  return {
    reference: report.reference,
    healthy: files.every(({ outcome }) => outcome === 'healed'),
    files,
    notes: repairs.flatMap((repair) => sharedNote(contents, repository, repair)),
    transferredBytes,
    milliseconds: Math.round(clock.elapsed() - startedAt)
  };
}

async function fetchContent(
  services: Services,
  repository: CachedRepository,
  { digest, files: [{ revision, file }] }: Repair,
  { signal, onProgress }: HealHubCacheOptions
): Promise<{ readonly content: NewContent; readonly receivedBytes: number }> {
  const sha256 = digest.algorithm === 'sha256' ? (parseDigest(digest.hex) ?? null) : null;
  const stored = sha256 === null ? undefined : await services.blobs.findProved(sha256, signal);
  const url = repositoryFileUrl(repository.id, revision.commit, file.path, services.environment['HF_ENDPOINT']);
  const source: Source = stored
    ? fileSource(stored.path)
    : await hubFileSource(services, { url, credential: undefined, onWait: undefined });
  const throttle = new Throttle(onProgress);
  const onBytes = (doneBytes: number, totalBytes: number | null): void =>
    throttle.offer({ reference: referenceText(repository.id), phase: 'fetching', doneBytes, totalBytes });
  try {
    const fetched = await services.pulls.fetch({ source, digest: sha256, bytes: null }, { signal, onBytes });
    throttle.flush();
    const { path, hash, discard, receivedBytes } = fetched;
    return { content: { path, sha256: hash.digest, discard }, receivedBytes: stored ? 0 : receivedBytes };
  } finally {
    throttle.stop();
  }
}

/** The shared store is left alone; whoever else uses the corrupt content there needs healing too. */
function sharedNote({ root, repositories }: CacheContents, healed: CachedRepository, { target }: Repair): string[] {
  const shared = healed.blobs.find(({ path }) => path === target)?.chain.targets.at(-1);
  if (shared === undefined) return [];
  const users = repositories
    .filter((other) => other !== healed && other.blobs.some(({ chain }) => chain.targets.includes(shared)))
    .map(({ id }) => referenceText(id));
  const place = shared.slice(root.length + 1);
  if (users.length === 0) return [`The corrupt content in the shared store is left there: ${place}.`];
  return [`The corrupt content in the shared store (${place}) is used by ${users.join(', ')} too; heal that as well.`];
}
