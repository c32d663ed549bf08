import { describe, expect, it } from 'vitest';
import { parseSourceAddress, secretParameterOf } from '../../../shared/source-address';

describe('a web address', () => {
  it('keeps scheme, host, port and query, and drops the fragment', () => {
    expect(parseSourceAddress('HTTPS://Example.com:8443/a%20b?x=1#part')).toEqual({
      kind: 'http',
      url: 'https://example.com:8443/a%20b?x=1',
      host: 'example.com:8443',
      secure: true,
      loopback: false
    });
  });

  it.each([
    'http://localhost/x',
    'http://localhost.:80/x',
    'http://model.localhost/x',
    'http://127.0.0.1:47800/x',
    'http://127.9.9.9/x',
    'http://0x7f.1/x',
    'http://2130706433/x',
    'http://１２７.0.0.1/x',
    'http://[::1]:80/x',
    'http://[::ffff:127.0.0.1]/x'
  ])('knows this machine in %s', (address) => {
    expect(parseSourceAddress(address)).toMatchObject({ kind: 'http', secure: false, loopback: true });
  });

  it.each(['http://127.0.0.1.example.com/x', 'http://example.localhost.com/x', 'https://10.0.0.1/x'])(
    'does not take %s for this machine',
    (address) => {
      expect(parseSourceAddress(address)).toMatchObject({ kind: 'http', loopback: false });
    }
  );

  it('writes a Unicode host as connections do', () => {
    expect(parseSourceAddress('https://bücher.example/x')).toMatchObject({ host: 'xn--bcher-kva.example' });
  });

  it.each([
    ['http://169.254.169.254/latest/meta-data', /link-local/],
    ['http://0xa9fea9fe/', /link-local/],
    ['http://[fe80::1]/x', /link-local/],
    ['http://[::ffff:169.254.169.254]/x', /link-local/],
    ['http://0.0.0.0/x', /no host in particular/],
    ['http://[::]/x', /no host in particular/],
    ['https:example.com/x', /no host/],
    ['https:///example.com/x', /no host/],
    ['https://', /no host/],
    ['https://h:99999/x', /not a valid URL/],
    ['https://256.1.1.1/x', /not a valid URL/],
    ['https://exam ple.com/x', /white space/],
    [' https://example.com/x', /white space/],
    ['https://example.com/x\n', /white space/],
    ['https://exa\tmple.com/x', /invisible/],
    ['https://exa\u200bmple.com/x', /invisible/],
    ['https:\\\\example.com\\x', /backslash/]
  ])('is refused: %j', (address, reason) => {
    expect(parseSourceAddress(address)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(reason) });
  });

  it.each(['http://me:CANARY@h/x', 'https://CANARY@h/x', 'https://@h/x', 's3://CANARY:x@bucket/key'])(
    'is refused with a user name or password, which is not repeated: %s',
    (address) => {
      const parsed = parseSourceAddress(address);
      expect(parsed).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/user name or password/) });
      expect(JSON.stringify(parsed)).not.toContain('CANARY');
    }
  );

  it('is refused when it leads to a page about a file, with the address that was meant', () => {
    expect(parseSourceAddress('https://huggingface.co/o/r/blob/main/sub/a.bin?CANARY#L1')).toEqual({
      kind: 'refused',
      reason: 'is the page about a file, not the file; write “/resolve/” instead of “/blob/”',
      instead: 'https://huggingface.co/o/r/resolve/main/sub/a.bin'
    });
    expect(parseSourceAddress('https://github.com/o/r/blob/v1/a.bin')).toMatchObject({
      instead: 'https://github.com/o/r/raw/v1/a.bin'
    });
    expect(parseSourceAddress('https://huggingface.co/o/r/tree/main')).toMatchObject({ kind: 'refused' });
    expect(parseSourceAddress('https://huggingface.co/o/r/resolve/main/a.bin')).toMatchObject({ kind: 'http' });
  });

  it('names the query parameter that is a secret, and takes signed addresses all the same', () => {
    const signed = 'https://b.s3.amazonaws.com/k?X-Amz-Date=1&x-amz-signature=CANARY';
    expect(secretParameterOf(signed)).toBe('x-amz-signature');
    expect(secretParameterOf('https://civitai.com/api/download/models/1?token=CANARY')).toBe('token');
    expect(secretParameterOf('https://h/x?tok%65n=CANARY')).toBe('token');
    expect(secretParameterOf('https://h/x?design=1&tokens=2#token=3')).toBeUndefined();
    expect(secretParameterOf('files/x?token=1')).toBeUndefined();
    expect(parseSourceAddress(signed).kind).toBe('http');
  });
});

describe('a hub address', () => {
  it.each([
    ['hf:o/r/a.bin', { owner: 'o', repo: 'r', revision: 'main', path: 'a.bin' }],
    ['hf:o/r@v1.0/sub/a.bin', { owner: 'o', repo: 'r', revision: 'v1.0', path: 'sub/a.bin' }],
    ['hf:o/r@refs%2Fpr%2F1/a.bin', { owner: 'o', repo: 'r', revision: 'refs/pr/1', path: 'a.bin' }],
    ['hf:o/r/a%20b%23.bin', { owner: 'o', repo: 'r', revision: 'main', path: 'a b#.bin' }],
    ['HF:o.x_y-z/r.1/ä.bin', { owner: 'o.x_y-z', repo: 'r.1', revision: 'main', path: 'ä.bin' }]
  ])('%s names repository, revision and path', (address, parts) => {
    expect(parseSourceAddress(address)).toEqual({ kind: 'hub', ...parts });
  });

  it.each([
    'hf:',
    'hf:o',
    'hf:o/r',
    'hf:o/r/',
    'hf:o/r@/a',
    'hf:o/r@v1',
    'hf:o/r@a%2F..%2Fb/x',
    'hf://o/r/a',
    'hf:/o/r/a',
    'hf:../r/a',
    'hf:o/../a',
    'hf:o/r/../a',
    'hf:o/r/%2e%2e/a',
    'hf:o/r/a%2Fb',
    'hf:o/r/a%5Cb',
    'hf:o/r/a//b',
    'hf:o/r/a%00',
    'hf:o/r/%zz',
    'hf:o/r/a?x',
    'hf:o/r/a#x',
    'hf:datasets/o/r/a',
    'hf:o\\r\\a',
    'hf: o/r/a'
  ])('%s is refused', (address) => {
    expect(parseSourceAddress(address).kind).toBe('refused');
  });
});

describe('an address of this machine', () => {
  it.each([
    ['file:///home/me/a%20b.bin', '/home/me/a b.bin'],
    ['file:/home/a.bin', '/home/a.bin'],
    ['file://localhost/home/a.bin', '/home/a.bin'],
    ['file:///C:/models/a.bin', 'C:/models/a.bin'],
    ['file:///a/../b', '/b']
  ])('%s is a path', (address, path) => {
    expect(parseSourceAddress(address)).toEqual({ kind: 'file', path });
  });

  it.each(['file:a.bin', 'file://server/share/a', 'file:////server/a', 'file:///', 'file:///a%2Fb', 'file:///a?x'])(
    '%s is refused',
    (address) => {
      expect(parseSourceAddress(address).kind).toBe('refused');
    }
  );

  it.each(['a.bin', './sub/a b.bin', '../other/a%20.bin'])('%s is relative to the manifest, literally', (path) => {
    expect(parseSourceAddress(path)).toEqual({ kind: 'relative', path });
  });

  it.each([
    '/abs/a',
    '//host/x',
    '\\\\host\\x',
    'C:\\x',
    'C:/x',
    'c:x',
    '~/a',
    'a\\b',
    '..',
    '.',
    'a/',
    'a//b',
    './a:b',
    'a\0'
  ])('%j is refused', (address) => {
    expect(parseSourceAddress(address).kind).toBe('refused');
  });
});

describe('other addresses', () => {
  it('name an object of a team store', () => {
    expect(parseSourceAddress('s3://my.bucket/a/b%20c')).toEqual({
      kind: 'store',
      scheme: 's3',
      bucket: 'my.bucket',
      key: 'a/b%20c'
    });
    expect(parseSourceAddress('r2://bucket/a').kind).toBe('store');
  });

  it.each(['', 's3://bucket', 's3://bucket/', 's3:bucket/a', 's3://b/a', 's3://bucket/a/../b', 's3://bucket//a'])(
    '%j names none',
    (address) => {
      expect(parseSourceAddress(address).kind).toBe('refused');
    }
  );

  it.each(['data:,x', 'javascript:alert(1)', 'ftp://h/x', 'blob:https://h/x', 'ssh://h/x', 'vscode:x', 'about:blank'])(
    '%s has a scheme that nothing is pulled from',
    (address) => {
      expect(parseSourceAddress(address)).toMatchObject({ reason: expect.stringMatching(/scheme/) });
    }
  );
});
