import { describe, expect, it } from 'vitest';
import type { Credential } from '../../../server/pull/http/credentials';
import { statusFault } from '../../../server/pull/http/status-fault';
import { TransientFault } from '../../../server/pull/source';
import type { Failure } from '../../../shared/failure';

const url = new URL('https://huggingface.co/owner/repo/resolve/v1/sub/file.gguf?sig=CANARY');
const token: Credential = { alias: 'my-hub', secret: 'hf_CANARY', origins: [url.origin] };
const stray: Credential = { ...token, origins: ['https://other.example'] };

function failureOf(status: number, headers: Record<string, string> = {}, credential?: Credential): Failure {
  const answer = {
    status,
    reach: 'public' as const,
    header: (name: string) => headers[name],
    body: (async function* () {})(),
    discard: () => undefined
  };
  const fault = statusFault(answer, { url, way: url.host, credential, now: 0 });
  return fault instanceof TransientFault ? fault.failure : (fault as Failure);
}

describe('a status', () => {
  it.each<[number, Record<string, string>, Credential | undefined, string, string]>([
    [401, {}, undefined, 'asks for a login', 'store a credential'],
    [401, {}, token, 'asks for a login', '"my-hub" is not accepted'],
    [401, {}, stray, 'asks for a login', '"my-hub" is not meant for https://huggingface.co'],
    [
      401,
      { 'x-error-code': 'GatedRepo' },
      undefined,
      'accepted its terms',
      'https://huggingface.co/owner/repo, then store'
    ],
    [403, { 'x-error-code': 'GatedRepo' }, token, 'accepted its terms', 'with the account of the credential "my-hub"'],
    [401, { 'x-error-code': 'RepoNotFound' }, undefined, 'shows no repository owner/repo', 'if it is private, store'],
    [404, { 'x-error-code': 'RepoNotFound' }, token, 'shows no repository owner/repo', '"my-hub" needs access'],
    [404, { 'x-error-code': 'RevisionNotFound' }, token, 'no revision v1 of owner/repo', 'branch, tag or commit'],
    [404, { 'x-error-code': 'EntryNotFound' }, token, 'no such file in owner/repo at v1', '/owner/repo/tree/v1'],
    [403, {}, undefined, 'refuses access', 'early access'],
    [404, {}, undefined, 'has no such file', 'Check the address'],
    [410, {}, undefined, 'no longer has the file', 'another source'],
    [416, {}, undefined, 'another size', 'size_bytes'],
    [429, {}, undefined, 'limits requests', 'Wait some minutes'],
    [500, {}, undefined, 'a fault of its own', 'Try again later'],
    [418, {}, undefined, 'refuses the request', 'Check the address']
  ])('%d with %j says what is wrong and what to do', (status, headers, credential, what, step) => {
    const failure = failureOf(status, headers, credential);
    expect(failure).toMatchObject({
      code: 'http-status',
      subject: 'https://huggingface.co/owner/repo/resolve/v1/sub/file.gguf'
    });
    expect(failure.message).toContain(what);
    expect(failure.message).toContain(`status ${status}`);
    expect(failure.nextStep).toContain(step);
    expect(JSON.stringify(failure)).not.toContain('CANARY');
  });

  it('comes with what the server says, on one line, bounded, and without secrets', () => {
    const said = `Access disabled\r\n\u0007 see https://u:CANARY@h/x?sig=CANARY for hf_CANARY. ${'x'.repeat(10_000)}`;
    const { message } = failureOf(403, { 'x-error-message': said }, token);
    expect(message).toContain('it says: "Access disabled see https://h/x for …');
    expect(message.length).toBeLessThan(400);
    expect(message).not.toMatch(/CANARY|\p{Cc}/u);
  });

  it.each([408, 429, 500, 503])('%d may pass', (status) => {
    const answer = {
      status,
      reach: 'public' as const,
      header: () => undefined,
      body: (async function* () {})(),
      discard: () => undefined
    };
    expect(statusFault(answer, { url, way: url.host, credential: undefined, now: 0 })).toBeInstanceOf(TransientFault);
  });
});
