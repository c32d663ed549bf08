import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../../shared/digest';
import { makeDirectoryDurably } from '../platform/durable-files';
import { isProvedDead, nonce, ownIdentity, type ProcessIdentity } from '../platform/process-identity';
import { isErrorWithCode } from '../platform/system-error';
import type { CacheLayout } from './cache-layout';
import { forgetOperation, readOperations, recordOperation } from './operation-record';

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
    await forgetOperation(layout, file);
  }
}

/** A process of another host is never proved dead; a job of one that began so long ago is taken for over. In ms. */
const FOREIGN_JOB_MS = 7 * 24 * 3600 * 1000;

/** What the jobs of all processes that may be alive rely on. */
export async function reliedOn(layout: CacheLayout): Promise<{ digests: ReadonlySet<Digest>; open: boolean }> {
  const digests = new Set<Digest>();
  let open = false;
  for (const { file, record, owner } of await readOperations(layout)) {
    if (record?.kind !== 'rely' || (owner && (await isOver(join(layout.operations, file), owner)))) continue;
    open ||= record.open;
    for (const digest of record.digests.flatMap((text) => parseDigest(text) ?? [])) digests.add(digest);
  }
  return { digests, open };
}

async function isOver(path: string, owner: ProcessIdentity): Promise<boolean> {
  if (await isProvedDead(owner)) return true;
  if (owner.host === (await ownIdentity()).host) return false;
  try {
    return (await stat(path)).mtimeMs + FOREIGN_JOB_MS < Date.now();
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return true;
    throw error;
  }
}
