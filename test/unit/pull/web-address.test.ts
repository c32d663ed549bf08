import { describe, expect, it } from 'vitest';
import { checkedAddress, describeAddress, redirectTarget } from '../../../server/pull/http/web-address';

const strict = { allowInsecureHttp: false, allowPrivateHosts: false };
const lenient = { allowInsecureHttp: true, allowPrivateHosts: true };

describe('an address that is about to be connected to', () => {
  it.each([
    'https://example.com/a',
    'http://127.0.0.1:8000/a',
    'http://localhost/a',
    'http://[::1]/a',
    'http://0x7f.1/a'
  ])('may be %s', (address) => {
    expect(checkedAddress(address, strict).pathname).toBe('/a');
  });

  it.each([
    'http://example.com/a',
    'http://192.168.1.9/a',
    'https://192.168.1.9/a',
    'https://[fd00::1]/a',
    'https://169.254.169.254/latest',
    'https://[fe80::1]/a',
    'https://[::ffff:169.254.169.254]/a',
    'https://0.0.0.0/a',
    'https://user:pass@example.com/a',
    'ftp://example.com/a',
    'file:///etc/passwd',
    'data:text/plain,a',
    'nonsense'
  ])('is refused when it is %s', (address) => {
    expect(() => checkedAddress(address, strict)).toThrow(expect.objectContaining({ code: 'refused-address' }));
  });

  it('may be plain http of another host only when the user allows it', () => {
    expect(checkedAddress('http://example.com/a', lenient).host).toBe('example.com');
  });

  it('may be a private host only when the user allows it', () => {
    expect(checkedAddress('https://192.168.1.9/a', lenient).host).toBe('192.168.1.9');
  });

  it('never shows its query, its fragment or its password', () => {
    expect(describeAddress(new URL('https://example.com/a/b?token=CANARY#CANARY'))).toBe('https://example.com/a/b');
    expect(() => checkedAddress('ftp://u:CANARY@example.com/a?x=CANARY', strict)).toThrow(
      expect.objectContaining({ subject: 'ftp://example.com/a' })
    );
  });
});

describe('a redirect', () => {
  const redirect = { from: new URL('https://hub.example/model'), hops: 0, admission: 'public' } as const;

  it('may be relative', () => {
    expect(redirectTarget({ ...redirect, location: '/cdn/file?sig=1' }, strict).href).toBe(
      'https://hub.example/cdn/file?sig=1'
    );
  });

  it.each([
    ['from https to plain http', 'http://hub.example/a'],
    ['to this machine from a public host', 'https://127.0.0.1/a'],
    ['to a private host from a public host', 'https://10.0.0.1/a'],
    ['to a private IPv6 host from a public host', 'https://[fd00::1]/a'],
    ['to a file', 'file:///etc/passwd'],
    ['to a password', 'https://u:p@hub.example/a']
  ])('%s is refused', (_, location) => {
    expect(() => redirectTarget({ ...redirect, location }, lenient)).toThrow(
      expect.objectContaining({ code: 'refused-address' })
    );
  });

  it('is followed ten times and not eleven', () => {
    expect(redirectTarget({ ...redirect, location: '/next', hops: 9 }, strict).pathname).toBe('/next');
    expect(() => redirectTarget({ ...redirect, location: '/next', hops: 10 }, strict)).toThrow(/more than 10/);
  });
});
