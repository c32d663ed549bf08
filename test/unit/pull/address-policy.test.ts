import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../server/pull/network/address-policy';

const strict = { allowInsecureHttp: true, allowPrivateHosts: false };
const lenient = { allowInsecureHttp: true, allowPrivateHosts: true };
const named = { admission: 'named' } as const;
const redirected = { admission: 'public' } as const;

describe('a host that a manifest names', () => {
  it.each([
    ['models.example', '93.184.215.14'],
    ['localhost', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '::1']
  ])('may be %s at %s', (host, address) => {
    expect(refusalOf({ host, address, ...named }, strict)).toBeUndefined();
  });

  it.each([
    ['models.example', '10.0.0.5', /models\.example leads to 10\.0\.0\.5, an address of a private network/],
    ['models.example', '::ffff:10.0.0.5', /a private network/],
    ['models.example', '127.0.0.1', /an address of this machine/],
    ['192.168.1.9', undefined, /^192\.168\.1\.9 is an address of a private network/]
  ])('needs the setting when it is %s at %s', (host, address, message) => {
    const destination = { host, ...(address !== undefined && { address }), ...named };
    expect(refusalOf(destination, strict)).toMatchObject({
      code: 'refused-address',
      subject: host,
      message: expect.stringMatching(message),
      nextStep: expect.stringContaining('allow private hosts')
    });
    expect(refusalOf(destination, lenient)).toBeUndefined();
  });

  it.each([
    ['models.example', '169.254.169.254'],
    ['models.example', 'fe80::1%eth0'],
    ['models.example', '64:ff9b::a9fe:a9fe'],
    ['models.example', '0.0.0.0'],
    ['models.example', '::'],
    ['models.example', 'nonsense'],
    ['localhost', '93.184.215.14'],
    ['localhost', '10.0.0.5']
  ])('is refused whatever is allowed when it is %s at %s', (host, address) => {
    expect(refusalOf({ host, address, ...named }, lenient)).toMatchObject({ code: 'refused-address' });
  });
});

describe('a host that a public host redirects to', () => {
  it('may be public', () => {
    expect(refusalOf({ host: 'cdn.example', address: '93.184.215.14', ...redirected }, strict)).toBeUndefined();
  });

  it.each([
    ['cdn.example', '10.0.0.5'],
    ['cdn.example', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['[::1]', '::1']
  ])('is refused whatever is allowed when it is %s at %s', (host, address) => {
    expect(refusalOf({ host, address, ...redirected }, lenient)?.message).toMatch(/a public host redirects to it/);
  });
});

describe('a host that the user set as an endpoint', () => {
  it.each(['10.0.0.5', '127.0.0.1', '93.184.215.14'])('may be at %s without another setting', (address) => {
    expect(refusalOf({ host: 'store.example', address, admission: 'user' }, strict)).toBeUndefined();
  });

  it.each(['169.254.169.254', '0.0.0.0', 'fe80::1'])('may not be at %s', (address) => {
    expect(refusalOf({ host: 'store.example', address, admission: 'user' }, lenient)).toMatchObject({
      code: 'refused-address'
    });
  });
});
