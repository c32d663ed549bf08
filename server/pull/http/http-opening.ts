import { type Body, FileFault } from '../partial/landing';
import { type Opening, type OpenRequest, RangesIgnored } from '../source';
import type { HttpAnswer, HttpClient } from './http-client';
import { BROKEN_SERVER, type Exchange, networkFault, refused } from './http-faults';
import { parseContentRange, strongValidator } from './http-headers';

/**
 * What an answer of status 200 or 206 opens, if it is exactly what was asked for.
 * @throws Failure, RangesIgnored
 */
export function openingOf(answer: HttpAnswer, url: URL, request: OpenRequest, client: HttpClient): Opening {
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
  const extent = answer.status === 206 ? partialExtent(answer, url, request) : wholeExtent(answer, url);
  return {
    ...extent,
    validator: strongValidator(answer.header('etag')),
    endsByClosing: extent.total === null && !/\bchunked\b/i.test(answer.header('transfer-encoding') ?? ''),
    body: noWebPage(readable(answer, url, { client, signal: request.signal }), extent.start, url)
  };
}

/** Whether anything but the whole content is asked for. */
export function asksForPart({ start, end }: Pick<OpenRequest, 'start' | 'end'>): boolean {
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

/** A size in bytes as a header tells it; null for anything else. */
export function sizeOf(length: string | undefined): number | null {
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
}
