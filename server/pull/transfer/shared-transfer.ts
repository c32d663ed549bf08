import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type Claim, tryClaim } from '../../platform/claims';
import type { Clock } from '../../platform/clock';
import { entriesOf } from '../../platform/folder-entries';
import { recordedBytes } from '../partial/partial-download';
import { PartialWatch } from '../partial/partial-watch';

/** How often the progress of another process is looked at, in ms. */
const LOOK_MS = 200;

/** How often whoever has the turn shows that it lives, in ms. */
const SIGN_MS = 2000;

export interface SharedTransferOptions {
  /** Folder of all partials. */
  readonly partials: string;
  /** Key of the content. */
  readonly key: string;
  readonly clock: Clock;
  /** How long another process may show neither a new byte nor a sign of life before we transfer by ourselves, in ms. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** Bytes that the other process has on disk. */
  readonly onBytes: (received: number) => void;
}

/**
 * Waits until the transfer of a content is ours: at once when nobody transfers it, else when the other is done or
 * gone. Meanwhile its progress is shown. A slow owner, or one that waits for its server, shows that it lives; one that
 * lives but stays silent is left alone, and we go on without the claim.
 * @returns the claim to be released, or undefined after a silence
 * @throws Failure('cancelled')
 */
export async function takeTurn(options: SharedTransferOptions): Promise<Claim | undefined> {
  const { partials, key, clock, silenceMs, signal, onBytes } = options;
  const path = join(partials, `${key}.claim`);
  const watched = new Map<string, PartialWatch>();
  let seen = '';
  let seenAt = clock.elapsed();
  for (;;) {
    const claim = await tryClaim(path);
    if (claim) return showingLife(path, claim);
    const bytes = await largestOf(partials, key, watched);
    const sign = `${bytes} ${await lastSign(path)}`;
    if (sign !== seen) {
      seen = sign;
      seenAt = clock.elapsed();
      onBytes(bytes);
    } else if (clock.elapsed() - seenAt >= silenceMs) {
      return undefined;
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

/** How many bytes of a content the largest of its partials has, whoever owns it. */
export async function largestPartial(partials: string, key: string): Promise<number> {
  const folders = await foldersOf(partials, key);
  return Math.max(0, ...(await Promise.all(folders.map(recordedBytes))));
}

/** As {@link largestPartial}, for somebody who asks again and again. */
async function largestOf(partials: string, key: string, watched: Map<string, PartialWatch>): Promise<number> {
  const sizes = (await foldersOf(partials, key)).map((folder) => {
    const watch = watched.get(folder) ?? new PartialWatch(folder);
    watched.set(folder, watch);
    return watch.bytes();
  });
  return Math.max(0, ...(await Promise.all(sizes)));
}

async function foldersOf(partials: string, key: string): Promise<string[]> {
  const entries = await entriesOf(partials);
  return entries.filter((entry) => entry.startsWith(`${key}.`)).map((entry) => join(partials, entry));
}

/** Touches a claim for as long as this process has it and runs: a stopped one shows nothing. */
function showingLife(path: string, claim: Claim): Claim {
  const timer = setInterval(() => {
    const now = new Date();
    // Somebody may have taken it away, which makes nothing wrong.
    utimes(path, now, now).catch(() => undefined);
  }, SIGN_MS);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      return claim.release();
    }
  };
}

/** When a claim was touched last, as something to compare; clocks do not matter. */
async function lastSign(path: string): Promise<string> {
  try {
    return String((await stat(path, { bigint: true })).mtimeNs);
  } catch {
    return '';
  }
}
