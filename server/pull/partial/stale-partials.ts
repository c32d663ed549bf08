import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isTemporary } from '../../platform/durable-files';
import { entriesOf } from '../../platform/folder-entries';
import { isErrorWithCode } from '../../platform/system-error';
import { recordedPartial } from './partial-download';
import { dataPath, discardAbandoned, isAbandoned, isFromElsewhere, journalPath } from './partial-folders';

/** Unfinished downloads that were removed, or would be. */
export interface StalePartials {
  readonly partials: number;
  /** What was received of them. */
  readonly bytes: number;
}

export interface CollectPartialsOptions {
  /** In ms since the epoch. */
  readonly now: number;
  /** How long a partial is kept, in ms, which may be for ever. */
  readonly keptMs: number;
  /** Says what would be removed and changes nothing. */
  readonly dryRun?: boolean;
}

/** An age that is over the limit by more, or below nothing, tells more of a clock that was moved than of the partial. */
const PLAUSIBLE_EXCESS_MS = 76 * 24 * 3600 * 1000;

/**
 * Removes partials that nobody has gone on with for a while, and those without data, which a crash leaves whose data
 * was complete. Those of living processes are left alone; of other hosts only the age is known. Where the clock was
 * moved, the time begins anew.
 */
export async function collectPartials(
  partials: string,
  { now, keptMs, dryRun = false }: CollectPartialsOptions
): Promise<StalePartials> {
  let [removed, removedBytes] = [0, 0];
  for (const entry of await entriesOf(partials)) {
    // Else a claim on its way would be taken for a partial.
    if (isTemporary(entry)) continue;
    const [key = '', ...rest] = entry.split('.');
    const tag = rest.join('.');
    const isOurs = await isAbandoned(tag);
    if (!isOurs && !isFromElsewhere(tag)) continue;
    const folder = join(partials, entry);
    const state = await stateOf(folder, now, keptMs);
    // Somebody elsewhere may have begun it a moment ago, or be about to end it.
    if (state === 'empty' && !isOurs && !(await isOlderThan(keptMs, folder, now))) continue;
    if (state === 'unbelievable' && !dryRun) await utimes(journalPath(folder), new Date(now), new Date(now));
    if (state !== 'stale' && state !== 'empty') continue;
    const { bytes } = await recordedPartial(folder);
    if (!dryRun && !(await discardAbandoned(folder, partials, key))) continue;
    removed += 1;
    removedBytes += bytes;
  }
  return { partials: removed, bytes: removedBytes };
}

async function stateOf(
  folder: string,
  now: number,
  keptMs: number
): Promise<'stale' | 'empty' | 'kept' | 'unbelievable'> {
  try {
    await stat(dataPath(folder));
    const age = now - (await stat(journalPath(folder))).mtimeMs;
    if (age < 0 || age > keptMs + PLAUSIBLE_EXCESS_MS) return 'unbelievable';
    return age > keptMs ? 'stale' : 'kept';
  } catch (error) {
    // Data without a journal counts for nothing either.
    if (isErrorWithCode(error, 'ENOENT')) return 'empty';
    throw error;
  }
}

async function isOlderThan(milliseconds: number, folder: string, now: number): Promise<boolean> {
  try {
    return now - (await stat(folder)).mtimeMs > milliseconds;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    throw error;
  }
}
