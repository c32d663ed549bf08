import { type Digest, parseDigest } from '../../../shared/digest';
import { hostReach } from '../../../shared/host-reach';
import type { AddressPolicy, Admission } from '../network/address-policy';
import {
  ContentChanged,
  type Opening,
  type OpenRequest,
  type ProbedContent,
  type Source,
  TransientFault
} from '../source';
import { authorization, type Credential } from './credentials';
import type { HttpAnswer, HttpClient } from './http-client';
import { changed, networkFault, wayTo } from './http-faults';
import { asksForPart, openingOf, sizeOf } from './http-opening';
import type { OnWait } from './origin-waits';
import { statusFault } from './status-fault';
import { checkedAddress, describeAddress, redirectTarget } from './web-address';

export interface HttpSourceOptions {
  readonly client: HttpClient;
  readonly policy: AddressPolicy;
  /** What to prove oneself with, where it may go. */
  readonly credential: Credential | undefined;
  /** Milliseconds since the epoch, for dates in Retry-After. */
  readonly now: () => number;
  /** Hears of it when the source asks to be left alone for a while. */
  readonly onWait?: OnWait | undefined;
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
    isLocal: false,
    async open(request) {
      const { answer, url } = await follow(start, rangeHeaders(request), {
        ...options,
        method: 'GET',
        signal: request.signal
      });
      try {
        return opening(answer, url, request, options);
      } catch (error) {
        answer.discard();
        throw error;
      }
    },
    probe: (signal) => probe(start, { ...options, method: 'HEAD', signal })
  };
}

interface ExchangeOptions extends HttpSourceOptions {
  readonly method: 'GET' | 'HEAD';
  readonly signal: AbortSignal;
}

interface Followed {
  readonly answer: HttpAnswer;
  readonly url: URL;
  /** What the hub says of a file before it redirects to where the bytes lie. */
  readonly linked: ProbedContent;
}

/** Asks an address and those that it redirects to. @throws Failure, TransientFault */
export async function follow(
  start: URL,
  headers: Readonly<Record<string, string>>,
  options: ExchangeOptions
): Promise<Followed> {
  let url = start;
  let admission: Admission = 'named';
  let linked: ProbedContent = { bytes: null, isExact: false, digest: null };
  for (let hops = 0; ; hops += 1) {
    const answer = await ask(url, headers, { ...options, admission });
    if (url.origin === start.origin) linked = linkedContent(answer) ?? linked;
    if (![301, 302, 303, 307, 308].includes(answer.status)) return { answer, url, linked };
    answer.discard();
    if (answer.reach === 'public') admission = 'public';
    url = redirectTarget({ from: url, location: answer.header('location'), hops, admission }, options.policy);
  }
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: ExchangeOptions & { readonly admission: Admission }
): Promise<HttpAnswer> {
  const { client, credential, method, signal, admission, onWait } = options;
  const proof = authorization(credential, url, hostReach(url.hostname) === 'loopback');
  const always = { 'accept-encoding': 'identity', 'user-agent': 'diffusion-dock' };
  try {
    return await client.send(
      method,
      url,
      { ...always, ...(proof !== undefined && { authorization: proof }), ...headers },
      signal,
      { admission, onWait }
    );
  } catch (error) {
    throw networkFault(error, url, { client, signal });
  }
}

function rangeHeaders(request: OpenRequest): Record<string, string> {
  const { start, end, validator } = request;
  if (!asksForPart(request)) return {};
  return {
    range: `bytes=${start}-${end === null ? '' : end - 1}`,
    ...(validator !== null && { 'if-range': validator })
  };
}

/** Statuses that a GET would get as well; others may mean no more than that HEAD is not served here. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([401, 404, 410]);

async function probe(start: URL, options: ExchangeOptions): Promise<ProbedContent> {
  const unknown: ProbedContent = { bytes: null, isExact: false, digest: null };
  try {
    const { answer, url, linked } = await follow(start, {}, options);
    answer.discard();
    if (FINAL_STATUSES.has(answer.status)) throw refusal(answer, url, options);
    if (linked.bytes !== null) return linked;
    if (answer.status !== 200) return unknown;
    // A length of nothing is what servers say that do not count for HEAD.
    return { ...linked, bytes: sizeOf(answer.header('content-length')) || null };
  } catch (error) {
    // The transfer itself will tell, after as many attempts as it takes.
    if (error instanceof TransientFault) return unknown;
    throw error;
  }
}

/** Why an address answered with another status than was hoped for. */
export function refusal(answer: HttpAnswer, url: URL, { client, credential, now }: HttpSourceOptions): Error {
  return statusFault(answer, { url, way: wayTo(url, client.proxyHost(url)), credential, now: now() });
}

/** The hub names size and digest of large files beside the redirect; other ETags are no digests. */
function linkedContent(answer: HttpAnswer): ProbedContent | undefined {
  const etag = answer.header('x-linked-etag');
  if (etag === undefined) return undefined;
  const digest: Digest | null = parseDigest(etag.replaceAll('"', '')) ?? null;
  const bytes = sizeOf(answer.header('x-linked-size'));
  return { bytes, isExact: bytes !== null, digest };
}

function opening(answer: HttpAnswer, url: URL, request: OpenRequest, options: HttpSourceOptions): Opening {
  const { status } = answer;
  if (status === 416 && asksForPart(request)) throw new ContentChanged(changed(url));
  if (status !== 200 && status !== 206) throw refusal(answer, url, options);
  return openingOf(answer, url, request, options.client);
}
