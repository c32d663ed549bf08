/** A range of bytes as Content-Range tells it; `end` is inclusive. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number;
}

/** Reads `bytes 5-9/10`; undefined for anything else, also when the total is unknown (RFC 9110, 14.4). */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text?.trim() ?? '');
  if (!match) return undefined;
  const [start, end, total] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return start <= end && end < total ? { start, end, total } : undefined;
}

/** An ETag that promises equal bytes; weak ones (`W/"…"`) promise less and give null. */
export function strongValidator(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : null;
}

/** The longest that a server can make us wait, in ms. */
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Reads Retry-After: seconds or a date.
 * @param now milliseconds since the epoch
 * @returns milliseconds, at most five minutes; null when there is none or it makes no sense
 */
export function retryAfterMs(text: string | undefined, now: number): number | null {
  if (text === undefined) return null;
  const wait = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait >= 0 ? Math.min(wait, LONGEST_WAIT_MS) : null;
}
