import type { BatchSummary } from '../../../shared/batch';
import { isProvedDead, parseOwnerTag } from '../../platform/process-identity';
import type { Services } from '../services';
import { type JobRecord, JobRecords } from './job-records';

/** The batches that were begun or continued on this machine, the latest first. @throws Failure('file-access') */
export async function listBatches(
  services: Pick<Services, 'layout' | 'runningBatches'>
): Promise<readonly BatchSummary[]> {
  const records = await new JobRecords(services.layout.batchRecords).read();
  return Promise.all(records.map(async (record) => services.runningBatches.find(record) ?? (await summaryOf(record))));
}

async function summaryOf({
  job,
  file,
  store,
  state,
  items,
  done,
  failed,
  ...record
}: JobRecord): Promise<BatchSummary> {
  const isOver = state === 'running' && (await isGone(record.owner));
  return {
    job,
    file,
    store,
    state: isOver ? 'stopped' : state,
    items,
    done,
    failed,
    isHere: false,
    startedAtUnixMs: record.started_at_unix_ms
  };
}

async function isGone(owner: string): Promise<boolean> {
  const process = parseOwnerTag(owner);
  return process === undefined || (await isProvedDead(process));
}
