import { describe, expect, it } from 'vitest';
import { redact } from '../../../client/support/redact';

describe('what is logged', () => {
  it.each([
    ['the query of an address', 'GET https://host/a.gguf?X-Amz-Signature=s3cret#x', 'GET https://host/a.gguf?…#x'],
    ['a user name and a password', 'https://me:s3cret@host/a', 'https://…@host/a'],
    ['a bearer token', 'Authorization: Bearer s3cret.abc', 'Authorization: Bearer …'],
    ['a hub token', 'uses hf_abcdefgh12345678 now', 'uses hf_… now'],
    ['a field', '{"token": "s3cret", "name": "a"}', '{"token": "…", "name": "a"}'],
    [
      'a field in JSON within JSON',
      String.raw`{"text":"{\"api_key\":\"s3cret\"}"}`,
      String.raw`{"text":"{\"api_key\":\"…\"}"}`
    ],
    ['a variable', 'HF_TOKEN=s3cret sd-cli', 'HF_TOKEN=… sd-cli']
  ])('is without %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it.each([
    'https://host/path/a.gguf',
    'starting transfer url=127.0.0.1/a.gguf destination=a.gguf bytes=17795456',
    '{"alias": "team"}'
  ])('keeps %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('hides a secret to its end, whatever it is escaped with', () => {
    const traced = JSON.stringify({ secret: 'ab\\cd"TAIL', origins: [] });
    expect(redact(traced)).not.toContain('TAIL');
    expect(redact(JSON.stringify(traced))).not.toContain('TAIL');
  });
});
