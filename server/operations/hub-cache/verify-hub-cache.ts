import type { HubCacheReport } from '../../../shared/hub-cache';
import type { HubCacheProgress } from '../../../shared/job-events';
import type { CacheContents } from '../../huggingface/cache/cache-contents';
import { bytesToHash, type JudgedFile, verifyRepository } from '../../huggingface/cache/verify-repository';
import { referenceText } from '../../huggingface/repository';
import { Throttle } from '../../platform/throttle';
import type { Services } from '../services';
import { type CachedSelection, openHubCache, selectCached } from './hub-cache';

export interface VerifyHubCacheOptions {
  /** Whether to read again what did not change since it was read. */
  readonly force?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: HubCacheProgress) => void;
  /** Told of every repository as soon as it is verified. */
  readonly onReport?: (report: HubCacheReport) => void;
}

type Parts = Pick<Services, 'environment' | 'hasher' | 'proofs' | 'clock'>;

/**
 * Says of files in the hub's cache whether they are what they should be. Reads only, and asks nobody; what did
 * not change since it was read is not read again.
 * @param references `hf:owner/repo[@revision]`; none means all of the cache
 * @throws Failure
 */
export async function verifyHubCache(
  services: Parts,
  references: readonly string[],
  options: VerifyHubCacheOptions
): Promise<readonly HubCacheReport[]> {
  const contents = await openHubCache(services);
  const reports: HubCacheReport[] = [];
  for (const selection of selectCached(contents, references)) {
    const { report } = await verifySelection(services, contents, selection, options);
    options.onReport?.(report);
    reports.push(report);
  }
  return reports;
}

export interface SelectionVerification {
  readonly report: HubCacheReport;
  readonly files: readonly JudgedFile[];
}

/** Verifies some revisions of one repository. @throws Failure('cancelled') */
export async function verifySelection(
  { hasher, proofs, clock }: Parts,
  { root }: CacheContents,
  { repository, revisions }: CachedSelection,
  { signal, force = false, onProgress }: VerifyHubCacheOptions
): Promise<SelectionVerification> {
  const startedAt = clock.elapsed();
  const reference = referenceText(repository.id);
  const throttle = new Throttle(onProgress);
  const totalBytes = bytesToHash(root, repository, revisions);
  const report = (doneBytes: number): void => throttle.offer({ reference, phase: 'verifying', doneBytes, totalBytes });
  try {
    const { files, bytes } = await verifyRepository(repository, revisions, {
      root,
      hasher,
      proofs,
      force,
      signal,
      onProgress: report
    });
    throttle.flush();
    const verdicts = files.map(({ verdict }) => verdict);
    const healthy = verdicts.every(({ verdict }) => verdict !== 'corrupt');
    const { problems } = repository;
    const milliseconds = Math.round(clock.elapsed() - startedAt);
    return { report: { reference, healthy, files: verdicts, problems, bytes, milliseconds }, files };
  } finally {
    throttle.stop();
  }
}
