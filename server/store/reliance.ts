import { type Digest, parseDigest } from '../../shared/digest';
import { makeDirectoryDurably } from '../platform/durable-files';
import { nonce, ownIdentity } from '../platform/process-identity';
import { errorCode } from '../platform/system-error';
import type { CacheLayout } from './cache-layout';
import { forgetOperation, isUnderWay, type RelyRecord, readOperations, recordOperation } from './operation-record';

/** The contents that a job is going to use. */
export interface RelianceOn {
  readonly digests: readonly Digest[];
  /** Whether there are more, whose digests nobody knows yet. */
  readonly open: boolean;
}

/**
 * Does a job that finds blobs and uses them later: no collection takes those away that are named here. To be begun
 * before the first of them is looked for.
 */
export async function relyOn<T>(layout: CacheLayout, { digests, open }: RelianceOn, job: () => Promise<T>): Promise<T> {
  await makeDirectoryDurably(layout.operations);
  const record = { kind: 'rely' as const, owner: await ownIdentity(), digests: [...digests], open };
  const file = await recordOperation(layout, nonce(), record);
  try {
    return await job();
  } finally {
    await forgetNowOrLater(layout, file);
  }
}

/** What the job came to counts. A record that stays only keeps contents, until this process has ended. */
async function forgetNowOrLater(layout: CacheLayout, file: string): Promise<void> {
  try {
    await forgetOperation(layout, file);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** Tells how many jobs of all processes that may be alive rely on a content, or may do so. */
export async function countReliances(layout: CacheLayout): Promise<(digest: Digest) => number> {
  const underWay: RelyRecord[] = [];
  for (const operation of await readOperations(layout)) {
    if (operation.record?.kind === 'rely' && (await isUnderWay(operation))) underWay.push(operation.record);
  }
  return (digest) => underWay.filter(({ open, digests }) => open || digests.includes(digest)).length;
}

/** What the jobs of all processes that may be alive rely on. */
export async function reliedOn(layout: CacheLayout): Promise<{ digests: ReadonlySet<Digest>; open: boolean }> {
  const digests = new Set<Digest>();
  let open = false;
  for (const operation of await readOperations(layout)) {
    const { record } = operation;
    if (record?.kind !== 'rely' || !(await isUnderWay(operation))) continue;
    open ||= record.open;
    for (const digest of record.digests.flatMap((text) => parseDigest(text) ?? [])) digests.add(digest);
  }
  return { digests, open };
}
