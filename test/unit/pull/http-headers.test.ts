import { describe, expect, it } from 'vitest';
import { parseContentRange, retryAfterMs, strongValidator } from '../../../server/pull/http-headers';

describe('Content-Range', () => {
  it('tells start, inclusive end and total', () => {
    expect(parseContentRange('bytes 5-9/10')).toEqual({ start: 5, end: 9, total: 10 });
  });

  it.each([
    undefined,
    '',
    'bytes 5-9/*',
    'bytes 9-5/10',
    'bytes 5-10/10',
    'items 5-9/10',
    'bytes 5-9/10, 1-2/10',
    'bytes -5/10'
  ])('that says %j tells nothing', (text) => {
    expect(parseContentRange(text)).toBeUndefined();
  });
});

describe('an ETag', () => {
  it('in quotes promises equal bytes', () => {
    expect(strongValidator('"abc"')).toBe('"abc"');
  });

  it.each([undefined, 'W/"abc"', 'abc', '"a"b"', '"a\u0000"'])('like %j does not', (etag) => {
    expect(strongValidator(etag)).toBeNull();
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);

  it.each([
    ['1', 1000],
    ['0', 0],
    [new Date(now + 5000).toUTCString(), 5000],
    ['99999999', 300_000]
  ])('of %j asks for %d ms', (text, milliseconds) => {
    expect(retryAfterMs(text, now)).toBe(milliseconds);
  });

  it.each([undefined, '-1', 'soon', new Date(now - 5000).toUTCString()])('of %j asks for nothing', (text) => {
    expect(retryAfterMs(text, now)).toBeNull();
  });
});
