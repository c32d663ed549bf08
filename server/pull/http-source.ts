import { type Digest, parseDigest } from '../../shared/digest';
import { hostReach } from '../../shared/host-reach';
import type { AddressPolicy, Admission } from './address-policy';
import { authorization, type Credential } from './credentials';
import type { HttpAnswer, HttpClient } from './http-client';
import { BROKEN_SERVER, changed, type Exchange, networkFault, refused, wayTo } from './http-faults';
import { parseContentRange, strongValidator } from './http-headers';
import { type Body, FileFault } from './landing';
import type { OnWait } from './origin-waits';
import {
  ContentChanged,
  type Opening,
  type OpenRequest,
  type ProbedContent,
  RangesIgnored,
  type Source,
  TransientFault
} from './source';
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

function sizeOf(length: string | undefined): number | null {
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

function opening(answer: HttpAnswer, url: URL, request: OpenRequest, options: HttpSourceOptions): Opening {
  const { status } = answer;
  if (status === 416 && asksForPart(request)) throw new ContentChanged(changed(url));
  if (status !== 200 && status !== 206) throw refusal(answer, url, options);
  const encoding = answer.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw refused(
      url,
      `sent the file with the encoding ${quoted(encoding)}, although only the plain bytes were asked for`,
      'Ask whoever runs the server to send the file as it is, or use another source.'
    );
  }
  if (/^text\/html\b/i.test(answer.header('content-type') ?? '')) {
    throw webPage(url);
  }
  const extent = status === 206 ? partialExtent(answer, url, request) : wholeExtent(answer, url);
  return {
    ...extent,
    validator: strongValidator(answer.header('etag')),
    endsByClosing: extent.total === null && !/\bchunked\b/i.test(answer.header('transfer-encoding') ?? ''),
    body: noWebPage(readable(answer, url, { client: options.client, signal: request.signal }), extent.start, url)
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
  const total = sizeOf(length);
  if (total === null) throw refused(url, `announced the impossible length ${quoted(length)}`, BROKEN_SERVER);
  return { start: 0, total, servesRanges };
}

function partialExtent(answer: HttpAnswer, url: URL, request: OpenRequest): Extent {
  const { start, end } = request;
  const text = answer.header('content-range');
  if (!asksForPart(request))
    throw refused(url, 'sent a part of the file although all of it was asked for', BROKEN_SERVER);
  const range = parseContentRange(text);
  if (range?.start === start && range.end === (end ?? range.total) - 1) {
    return { start, total: range.total, servesRanges: true };
  }
  const sent = text === undefined ? 'a part of the file without saying which' : `the range ${quoted(text)}`;
  const asked = `although bytes ${start} to ${end === null ? 'the end' : end - 1} were asked for`;
  throw new RangesIgnored(refused(url, `sent ${sent} ${asked}`, BROKEN_SERVER));
}

/** What a server wrote, as far as it belongs into a sentence. */
function quoted(text: string): string {
  return text.length > 60 ? `"${text.slice(0, 60)}…"` : `"${text}"`;
}

function webPage(url: URL): Error {
  return refused(url, 'sent a web page instead of the file', 'Check that the address leads to the file itself.');
}

/** How web pages begin, and no weights do; sign-in pages often come without a type, or with that of the file. */
const WEB_PAGE = /^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)[\s>]/is;

/** @throws Failure before anything of a web page is handed on */
function noWebPage(body: Body, start: number, url: URL): Body {
  return { [Symbol.asyncIterator]: () => chunksOfNoWebPage(body, start, url), land: body.land };
}

async function* chunksOfNoWebPage(body: Body, start: number, url: URL): AsyncGenerator<Uint8Array> {
  let isFirst = start === 0;
  for await (const chunk of body) {
    const beginning = isFirst ? Buffer.from(chunk.subarray(0, 512)).toString('latin1') : '';
    if (WEB_PAGE.test(beginning)) throw webPage(url);
    isFirst = false;
    yield chunk;
  }
}

/** The body of an answer, whose faults are told as those of the network. */
export function readable(answer: HttpAnswer, url: URL, exchange: Exchange): Body {
  return { [Symbol.asyncIterator]: () => readableChunks(answer, url, exchange), land: answer.body.land };
}

async function* readableChunks(answer: HttpAnswer, url: URL, exchange: Exchange): AsyncGenerator<Uint8Array> {
  try {
    yield* answer.body;
  } catch (error) {
    // That of a file is no fault of the network.
    if (error instanceof FileFault) throw error.cause;
    throw networkFault(error, url, exchange);
  } finally {
    answer.discard();
  }
}
