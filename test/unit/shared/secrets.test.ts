import { describe, expect, it } from 'vitest';
import { hasPassword, isSecretName, secretFieldOf } from '../../../shared/secrets';

const NAMES =
  'api_key apikey api_token token auth_token bearer_token password secret hf_token huggingface_token huggingface_api_key';

describe('the name of a field', () => {
  it.each(NAMES.split(' '))('says that %s is secret, in any case and behind dots', (name) => {
    for (const spelling of [name, name.toUpperCase(), name.replaceAll('_', '-'), `my.settings.${name}`]) {
      expect(isSecretName(spelling)).toBe(true);
    }
  });

  it.each(['prompt', 'tokens', 'token_count', 'tokenizer', 'secretary', 'credential_alias', 'key', 'sha256'])(
    'says nothing of the kind of %s',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    }
  );
});

describe('a password in an address', () => {
  it.each(['https://user:pw@h/x', 'HTTP://:pw@h', 's3://key:secret@bucket/x', ' https://a:b@h'])(
    'is seen in %s',
    (text) => {
      expect(hasPassword(text)).toBe(true);
    }
  );

  it.each(['https://h/x', 'https://h/a:b@c', 'https://h?x=a:b@c', 'mail me: a@b', 'git@host:repo', 'https://user@h/x'])(
    'is not seen in %s',
    (text) => {
      expect(hasPassword(text)).toBe(false);
    }
  );
});

describe('a value that carries a secret', () => {
  it.each([
    [{ hf_token: 'x' }, 'hf_token'],
    [{ a: { 'b.API-KEY': 'x' } }, 'a.b.API-KEY'],
    [{ list: [{}, { password: 4711 }] }, 'list.1.password'],
    [{ secret: { value: 'x' } }, 'secret.value'],
    [{ endpoint: 'https://u:p@h' }, 'endpoint']
  ])('%j is told by the name of its field', (value, field) => {
    expect(secretFieldOf(value)).toBe(field);
  });

  it.each([{ token: '' }, { token: null }, { prompt: 'my password is safe' }, 'text', undefined, []])(
    'is not %j',
    (value) => {
      expect(secretFieldOf(value)).toBeUndefined();
    }
  );

  it('may be where it is expected', () => {
    expect(secretFieldOf({ proxy: { address: 'http://u:p@h' } }, 'proxy.address')).toBeUndefined();
  });
});
