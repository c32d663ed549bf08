import { cancelled, Failure, messageOf } from '../../shared/failure';
import { hostReach } from '../../shared/host-reach';
import { errorCode } from '../platform/system-error';
import { authorization, type Credential } from './credentials';
import type { HttpAnswer, HttpClient } from './http-client';
import { parseContentRange, retryAfterMs, strongValidator } from './http-headers';
import { ContentChanged, type Opening, type OpenRequest, type Source, TransientFault } from './source';
import { type AddressPolicy, checkedAddress, describeAddress, redirectTarget } from './web-address';

export interface HttpSourceOptions {
  readonly client: HttpClient;
  readonly policy: AddressPolicy;
  /** What to prove oneself with, where it may go. */
  readonly credential: Credential | undefined;
  /** Milliseconds since the epoch, for dates in Retry-After. */
  readonly now: () => number;
}

/**
 * A file behind an http or https address. Redirects are followed by hand, and an answer that is not exactly what
 * was asked for is refused with the host's name and what it sent.
 * @throws Failure('refused-address') at once for an address that nothing may be fetched from
 */
export function httpSource(address: string, options: HttpSourceOptions): Source {
  const start = checkedAddress(address, options.policy);
  return {
    label: describeAddress(start),
    identity: address,
    async open(request) {
      const { answer, url } = await follow(start, request, options);
      try {
        return opening(answer, url, request, options);
      } catch (error) {
        answer.discard();
        throw error;
      }
    }
  };
}

async function follow(
  start: URL,
  request: OpenRequest,
  options: HttpSourceOptions
): Promise<{ answer: HttpAnswer; url: URL }> {
  let url = start;
  for (let hops = 0; ; hops += 1) {
    const answer = await ask(url, request, options);
    if (![301, 302, 303, 307, 308].includes(answer.status)) return { answer, url };
    answer.discard();
    url = redirectTarget(url, answer.header('location'), hops, options.policy);
  }
}

async function ask(
  url: URL,
  { start, end, validator, signal }: OpenRequest,
  { client, credential }: HttpSourceOptions
): Promise<HttpAnswer> {
  const isPart = asksForPart({ start, end });
  const proof = authorization(credential, url, hostReach(url.hostname) === 'loopback');
  const headers = {
    'accept-encoding': 'identity',
    'user-agent': 'diffusion-dock',
    ...(proof !== undefined && { authorization: proof }),
    ...(isPart && { range: `bytes=${start}-${end === null ? '' : end - 1}` }),
    ...(isPart && validator !== null && { 'if-range': validator })
  };
  try {
    return await client.get(url, headers, signal);
  } catch (error) {
    throw networkFault(error, url, { client, signal });
  }
}

function opening(answer: HttpAnswer, url: URL, request: OpenRequest, options: HttpSourceOptions): Opening {
  const { status } = answer;
  if (status === 416 && asksForPart(request)) throw new ContentChanged(changed(url));
  if (status !== 200 && status !== 206) throw statusFault(answer, url, options);
  const encoding = answer.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw refused(url, `sent the file with the encoding ${encoding}, although only the plain bytes were asked for`);
  }
  if (/^text\/html\b/i.test(answer.header('content-type') ?? '')) {
    throw refused(url, 'sent a web page instead of the file', 'Check that the address leads to the file itself.');
  }
  const extent = status === 206 ? partialExtent(answer, url, request) : wholeExtent(answer, url);
  return {
    ...extent,
    validator: strongValidator(answer.header('etag')),
    endsByClosing: extent.total === null && !/\bchunked\b/i.test(answer.header('transfer-encoding') ?? ''),
    body: readable(answer, url, { client: options.client, signal: request.signal })
  };
}

function asksForPart({ start, end }: Pick<OpenRequest, 'start' | 'end'>): boolean {
  return start > 0 || end !== null;
}

type Extent = Pick<Opening, 'start' | 'total' | 'servesRanges'>;

function wholeExtent(answer: HttpAnswer, url: URL): Extent {
  const servesRanges = /^bytes$/i.test(answer.header('accept-ranges') ?? '');
  const length = answer.header('content-length');
  if (length === undefined) return { start: 0, total: null, servesRanges };
  const total = /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  if (total === undefined) throw refused(url, `announced the impossible length ${length}`);
  return { start: 0, total, servesRanges };
}

function partialExtent(answer: HttpAnswer, url: URL, request: OpenRequest): Extent {
  const { start, end } = request;
  const text = answer.header('content-range');
  if (!asksForPart(request)) throw refused(url, 'sent a part of the file although all of it was asked for');
  const range = parseContentRange(text);
  if (range?.start === start && range.end === (end ?? range.total) - 1) {
    return { start, total: range.total, servesRanges: true };
  }
  throw refused(url, `sent the range "${text ?? ''}" although bytes ${start} to ${end ?? 'the end'} were asked for`);
}

async function* readable(answer: HttpAnswer, url: URL, exchange: Exchange): AsyncIterable<Uint8Array> {
  try {
    yield* answer.body;
  } catch (error) {
    throw networkFault(error, url, exchange);
  } finally {
    answer.discard();
  }
}

interface Exchange {
  readonly client: HttpClient;
  readonly signal: AbortSignal;
}

/** A broken connection may pass; a certificate that is not trusted does not. */
function networkFault(error: unknown, url: URL, { client, signal }: Exchange): Error {
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
  const reason = REASONS[code] ?? `the connection failed (${code || messageOf(error)})`;
  const proxy = client.proxyHost(url);
  const way = proxy === undefined ? '' : ` through the proxy ${proxy}`;
  const failure = new Failure('network', `${url.host}${way}: ${reason}.`, {
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
  UND_ERR_SOCKET: 'the connection was closed early'
};

function statusFault(answer: HttpAnswer, url: URL, { credential, now }: HttpSourceOptions): Error {
  const { status } = answer;
  const nextStep = nextStepFor(answer, url, credential);
  const failure = new Failure('http-status', `${url.host} answered with status ${status}.`, {
    subject: describeAddress(url),
    ...(nextStep !== undefined && { nextStep })
  });
  const passes = status === 408 || status === 429 || status >= 500;
  return passes ? new TransientFault(failure, retryAfterMs(answer.header('retry-after'), now())) : failure;
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

function refused(url: URL, what: string, nextStep?: string): Failure {
  const details = { subject: describeAddress(url), ...(nextStep !== undefined && { nextStep }) };
  return new Failure('bad-response', `${url.host} ${what}.`, details);
}

function changed(url: URL): Failure {
  return new Failure('bad-response', `${url.host} no longer has the content that was begun.`, {
    subject: describeAddress(url)
  });
}
