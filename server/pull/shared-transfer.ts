import { join } from 'node:path';
import { type Claim, tryClaim } from '../platform/claims';
import type { Clock } from '../platform/clock';
import { entriesOf } from '../platform/folder-entries';
import { recordedBytes } from './partial-download';

/** How often the progress of another process is looked at, in ms. */
const LOOK_MS = 200;

export interface SharedTransferOptions {
  /** Folder of all partials. */
  readonly partials: string;
  /** Key of the content. */
  readonly key: string;
  readonly clock: Clock;
  /** How long another process may show no new byte before we transfer by ourselves, in ms. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** Bytes that the other process has on disk. */
  readonly onBytes: (received: number) => void;
}

/**
 * Waits until the transfer of a content is ours: at once when nobody transfers it, else when the other is done or
 * gone. Meanwhile its progress is shown. An owner that lives but stays silent is left alone, and we go on without
 * the claim.
 * @returns the claim to be released, or undefined after a silence
 * @throws Failure('cancelled')
 */
export async function takeTurn(options: SharedTransferOptions): Promise<Claim | undefined> {
  const { partials, key, clock, silenceMs, signal, onBytes } = options;
  let seen = -1;
  let seenAt = clock.elapsed();
  for (;;) {
    const claim = await tryClaim(join(partials, `${key}.claim`));
    if (claim) return claim;
    const bytes = await largestPartial(partials, key);
    if (bytes !== seen) {
      seen = bytes;
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
  const entries = (await entriesOf(partials)).filter((entry) => entry.startsWith(`${key}.`));
  return Math.max(0, ...(await Promise.all(entries.map((entry) => recordedBytes(join(partials, entry))))));
}
