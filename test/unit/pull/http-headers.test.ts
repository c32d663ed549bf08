import { describe, expect, it } from 'vitest';
import { askedWaitMs, parseContentRange, retryAfterMs, strongValidator } from '../../../server/pull/http/http-headers';

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

const asked = (status: number, headers: Record<string, string>): number =>
  askedWaitMs({ status, header: (name) => headers[name] }, Date.parse('2026-01-01T00:00:00Z'));

describe('how long a server asks to be left alone', () => {
  it.each([
    [429, { 'retry-after': '7' }, 7000],
    [503, { 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }, 9000],
    [429, { 'retry-after': '-1' }, 0],
    [429, { 'retry-after': '1000000000' }, 300_000],
    [429, { ratelimit: '"resolvers";r=0;t=123' }, 123_000],
    [200, { ratelimit: '"resolvers";r=0;t=123' }, 123_000],
    [302, { ratelimit: '"api";r=12;t=200, "resolvers";r=0;t=5' }, 5000],
    [429, { ratelimit: '"api";r=0;t=20', 'retry-after': '7' }, 20_000],
    [429, { ratelimit: '"api";r=0', 'ratelimit-policy': '"api";q=500;w=60' }, 60_000],
    [429, { ratelimit: '"api";r=0;t=999999999999999' }, 300_000]
  ])('is told by status %d with %j', (status, headers, milliseconds) => {
    expect(asked(status, headers)).toBe(milliseconds);
  });

  it.each([
    [200, { 'retry-after': '7' }],
    [404, { 'retry-after': '7' }],
    [200, { ratelimit: '"resolvers";r=1;t=123' }],
    [200, { ratelimit: '"resolvers";t=123' }],
    [200, { ratelimit: 'r=0' }],
    [200, { ratelimit: ';;,,=,"' }],
    [200, {}]
  ])('is nothing with status %d and %j', (status, headers) => {
    expect(asked(status, headers)).toBe(0);
  });
});
