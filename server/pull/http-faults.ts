import { cancelled, Failure, messageOf } from '../../shared/failure';
import { errorCode } from '../platform/system-error';
import type { Credential } from './credentials';
import { CRAWLING, type HttpAnswer, type HttpClient } from './http-client';
import { askedWaitMs } from './http-headers';
import { proxyRefusal, refusalByProxy } from './proxy-refusal';
import { TransientFault } from './source';
import { describeAddress } from './web-address';

/** What a network fault is explained with. */
export interface Exchange {
  readonly client: HttpClient;
  readonly signal: AbortSignal;
}

/** A broken connection may pass; a certificate that is not trusted does not. */
export function networkFault(error: unknown, url: URL, { client, signal }: Exchange): Error {
  if (error instanceof Failure) return error;
  if (signal.aborted) return cancelled('The transfer');
  const code = errorCode(error) ?? '';
  const subject = describeAddress(url);
  if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_/.test(code)) {
    return new Failure('network', `The certificate of ${url.host} is not trusted (${code}).`, {
      subject,
      nextStep: 'Check the address and the clock of this machine, or trust the certificate in the system.',
      cause: error
    });
  }
  const proxy = client.proxyHost(url);
  const status = refusalByProxy(error);
  if (proxy !== undefined && status !== undefined) return proxyRefusal(status, proxy, url, subject);
  const reason = REASONS[code] ?? `the connection failed (${code || messageOf(error)})`;
  const failure = new Failure('network', `${wayTo(url, proxy)}: ${reason}.`, {
    subject,
    nextStep: 'Check the network connection and try again; what was transferred is kept.',
    cause: error
  });
  return new TransientFault(failure);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is unknown',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'the server does not answer',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  [CRAWLING]: 'the server sends next to nothing',
  UND_ERR_SOCKET: 'the connection was closed early'
};

/** A host, and the proxy that it is reached through, if any. */
function wayTo({ host }: URL, proxy: string | undefined): string {
  return proxy === undefined ? host : `${host} through the proxy ${proxy}`;
}

/** What the meaning of a status depends on. */
interface StatusContext {
  readonly client: HttpClient;
  readonly credential: Credential | undefined;
  /** Milliseconds since the epoch, for dates in Retry-After. */
  readonly now: () => number;
}

export function statusFault(answer: HttpAnswer, url: URL, { client, credential, now }: StatusContext): Error {
  const { status } = answer;
  const nextStep = nextStepFor(answer, url, credential);
  const failure = new Failure('http-status', `${wayTo(url, client.proxyHost(url))} answered with status ${status}.`, {
    subject: describeAddress(url),
    ...(nextStep !== undefined && { nextStep })
  });
  const passes = status === 408 || status === 429 || status >= 500;
  return passes ? new TransientFault(failure, askedWaitMs(answer, now())) : failure;
}

function nextStepFor(answer: HttpAnswer, url: URL, credential: Credential | undefined): string | undefined {
  const { status } = answer;
  if (status === 401 || status === 403) {
    // The hub says so of models whose terms have to be accepted first.
    if (answer.header('x-error-code') === 'GatedRepo') {
      const [, owner, repo] = url.pathname.split('/');
      return `Accept the terms at ${url.origin}/${owner}/${repo}, and sign in with a token of that account.`;
    }
    if (!credential) return 'The file needs a login: store a credential and name it in credential_alias.';
    if (!credential.origins.includes(url.origin)) {
      return `The credential "${credential.alias}" is not meant for ${url.origin}; add that origin to it if it is.`;
    }
    return `The credential "${credential.alias}" is not accepted; renew it, or ask the owner for access.`;
  }
  return NEXT_STEPS[status];
}

const NEXT_STEPS: Readonly<Record<number, string>> = {
  404: 'Check the address in the manifest: there is no such file.',
  410: 'The file was removed; look for another source.',
  429: 'The server limits requests; wait a while and try again.'
};

export function refused(url: URL, what: string, nextStep?: string): Failure {
  const details = { subject: describeAddress(url), ...(nextStep !== undefined && { nextStep }) };
  return new Failure('bad-response', `${url.host} ${what}.`, details);
}

export function changed(url: URL): Failure {
  return new Failure('bad-response', `${url.host} no longer has the content that was begun.`, {
    subject: describeAddress(url)
  });
}
