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

/** What of an answer says when the next request may come. */
export interface WaitHeaders {
  readonly status: number;
  header(name: string): string | undefined;
}

/**
 * How long a server asks to be left alone: with Retry-After when it refuses, and with RateLimit when no request is
 * left, whether it refuses or not.
 * @param now milliseconds since the epoch
 * @returns milliseconds, at most five minutes; 0 when it does not ask
 */
export function askedWaitMs(answer: WaitHeaders, now: number): number {
  const refuses = answer.status === 429 || answer.status === 503;
  const retryAfter = refuses ? retryAfterMs(answer.header('retry-after'), now) : null;
  const exhausted = exhaustedMs(answer.header('ratelimit'), answer.header('ratelimit-policy'));
  return Math.min(Math.max(retryAfter ?? 0, exhausted), LONGEST_WAIT_MS);
}

/**
 * Reads RateLimit as the hub sends it, `"resolvers";r=0;t=123`: of the named policy no request is left for 123
 * seconds. Without `t` the window of the policy holds, `"resolvers";q=3000;w=300`; several are separated by commas
 * (draft-ietf-httpapi-ratelimit-headers).
 */
function exhaustedMs(limits: string | undefined, policies: string | undefined): number {
  const windows = new Map(items(policies).map(({ name, parameters }) => [name, parameters.get('w')]));
  const waits = items(limits).map(({ name, parameters }) =>
    parameters.get('r') === 0 ? (parameters.get('t') ?? windows.get(name) ?? 0) : 0
  );
  return Math.max(0, ...waits) * 1000;
}

function items(header: string | undefined) {
  return (header ?? '').split(',').map((item) => {
    const [name = '', ...pairs] = item.split(';').map((part) => part.trim());
    const parameters = pairs.flatMap((pair): [string, number][] => {
      const [, key = '', value = ''] = /^([a-z]+)=(\d{1,15})$/.exec(pair) ?? [];
      return key === '' ? [] : [[key, Number(value)]];
    });
    return { name, parameters: new Map(parameters) };
  });
}
