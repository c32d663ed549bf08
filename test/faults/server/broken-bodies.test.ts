import { gzipSync } from 'node:zlib';
import { type Answer, chunked, type Ending, type Fault } from '../../support/fault-server';
import { CONTENT, DIGEST, describeCases, type FaultCase } from './fault-run';

/** Stops the body before the byte. */
const stop =
  (ending: Ending): Fault =>
  (answer, at) => ({ ...answer, wire: [answer.body.subarray(0, at)], ending });

/** Sends the body in chunks up to the byte, then something else. */
const chunkedUpTo =
  (rest: (answer: Answer, at: number) => readonly (Buffer | string)[], ending: Ending): Fault =>
  (answer, at) => ({
    ...answer,
    headers: { ...answer.headers, 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
    wire: [...(at > 0 ? [chunked(answer.body.subarray(0, at))] : []), ...rest(answer, at)],
    ending
  });

/** Sends no length and closes the connection before the byte. */
const closeWithoutLength =
  (version: Answer['version']): Fault =>
  (answer, at) => ({
    ...stop('end')(answer, at),
    version,
    headers: { ...answer.headers, 'Content-Length': undefined }
  });

const withoutByte: Fault = (answer, at) => {
  const body = Buffer.from(answer.body);
  body.writeUInt8(body.readUInt8(at) ^ 0xff, at);
  return { ...answer, body };
};

/** The rest of the body as a chunk that says it has half of it. */
const halfAnnounced = ({ body }: Answer, at: number): Buffer[] => [
  chunked(body.subarray(at), Math.floor((body.length - at) / 2))
];

const withLength =
  (...lengths: readonly (string | number)[]): Fault =>
  (answer) => ({ ...answer, headers: { ...answer.headers, 'Content-Length': lengths } });

const ADDRESS = 'http://HOST/weights.gguf';
const TRY_AGAIN = 'Check the network connection and try again; what was transferred is kept.';
const BROKEN = 'Try again later, or use another source: the server or a proxy before it is broken.';

const BOTH = { sha256: DIGEST, size_bytes: CONTENT.length };

const CASES: readonly FaultCase[] = [
  { title: 'S1 ends the body early, once', fault: stop('end'), hits: 'a byte', times: 1, ends: 'exact' },
  {
    title: 'S1 ends the body early, always',
    fault: stop('end'),
    hits: 'a byte',
    ends: ['network', 'HOST: the connection was closed early.', ADDRESS, TRY_AGAIN]
  },
  {
    title: 'S2 sends more than it announced',
    fault: (answer) => ({ ...answer, wire: [answer.body, Buffer.alloc(70_000, 'x')] }),
    hits: 'every answer',
    ends: 'exact'
  },
  {
    title: 'S3 names no length and closes early, once, where the manifest names the size',
    fault: closeWithoutLength('HTTP/1.1'),
    hits: 'a byte',
    times: 1,
    connections: 1,
    declared: BOTH,
    ends: 'exact'
  },
  {
    title: 'S3 names no length and closes early, once, where the manifest names the digest only',
    fault: closeWithoutLength('HTTP/1.1'),
    hits: 'a byte',
    times: 1,
    begins: 'fresh',
    connections: 1,
    fetches: 2,
    ends: 'exact'
  },
  {
    title: 'S3 names no length and closes early, where the manifest names nothing',
    fault: closeWithoutLength('HTTP/1.1'),
    hits: 'a byte',
    begins: 'fresh',
    connections: 1,
    declared: {},
    leaves: 'nothing',
    ends: [
      'bad-response',
      `${ADDRESS} is sent without saying how long it is.`,
      ADDRESS,
      'Add sha256 or size_bytes to the manifest, so that the end can be told.'
    ]
  },
  {
    title: 'S4 the same with HTTP/1.0',
    fault: closeWithoutLength('HTTP/1.0'),
    hits: 'a byte',
    times: 1,
    connections: 1,
    declared: BOTH,
    ends: 'exact'
  },
  {
    title: 'S5 ends a chunked body without its last chunk, once',
    fault: chunkedUpTo(() => [], 'end'),
    hits: 'a byte',
    times: 1,
    begins: 'fresh',
    connections: 1,
    fetches: 2,
    ends: 'exact'
  },
  {
    title: 'S5 ends a chunked body without its last chunk, once, where the manifest names the size',
    fault: chunkedUpTo(() => [], 'end'),
    hits: 'a byte',
    times: 1,
    declared: BOTH,
    ends: 'exact'
  },
  {
    title: 'S5 ends a chunked body without its last chunk, always',
    fault: chunkedUpTo(() => [], 'end'),
    hits: 'a byte',
    begins: 'fresh',
    connections: 1,
    leaves: 'nothing',
    ends: ['network', 'HOST: the connection was closed early.', ADDRESS, TRY_AGAIN]
  },
  {
    title: 'S6 lies about the size of a chunk, once',
    fault: chunkedUpTo(halfAnnounced, 'keep'),
    hits: 'a byte',
    times: 1,
    declared: BOTH,
    ends: 'exact'
  },
  {
    title: 'S6 lies about the size of a chunk, always',
    fault: chunkedUpTo(halfAnnounced, 'keep'),
    hits: 'every answer',
    begins: 'fresh',
    leaves: 'some',
    declared: BOTH,
    ends: ['bad-response', 'HOST sent an answer that is not valid HTTP.', ADDRESS, BROKEN]
  },
  {
    title: 'S7 names a length and sends chunks',
    fault: (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'Transfer-Encoding': 'chunked' },
      wire: [chunked(answer.body), '0\r\n\r\n']
    }),
    hits: 'every answer',
    ends: ['bad-response', 'HOST sent an answer that is not valid HTTP.', ADDRESS, BROKEN]
  },
  {
    title: 'S8 names two lengths',
    fault: withLength(CONTENT.length, CONTENT.length + 1),
    hits: 'every answer',
    ends: ['bad-response', 'HOST sent an answer that is not valid HTTP.', ADDRESS, BROKEN]
  },
  {
    title: 'S9 names a negative length',
    fault: withLength('-5'),
    hits: 'every answer',
    ends: ['bad-response', 'HOST sent an answer that is not valid HTTP.', ADDRESS, BROKEN]
  },
  {
    title: 'S10 names an impossible length',
    fault: withLength('9223372036854775807'),
    hits: 'every answer',
    begins: 'fresh',
    ends: ['bad-response', 'HOST announced the impossible length "9223372036854775807".', ADDRESS, BROKEN]
  },
  {
    title: 'S10 names a length that no disk holds',
    fault: withLength('999999999999999'),
    freeBytes: () => Promise.resolve(5 * 1024 ** 3),
    hits: 'every answer',
    begins: 'fresh',
    ends: [
      'disk-full',
      'The pull needs 1000 TB and 1 GiB to spare; 5.4 GB are free.',
      'CACHE/.partial',
      'Free some space, or move the cache to another disk.'
    ]
  },
  {
    title: 'S11 names another length than the manifest',
    fault: (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'Content-Length': CONTENT.length },
      ending: 'flood'
    }),
    hits: 'every answer',
    begins: 'fresh',
    declared: { size_bytes: 5 },
    lasts: true,
    ends: [
      'size-mismatch',
      `${ADDRESS} has ${CONTENT.length} bytes, the manifest says 5.`,
      ADDRESS,
      'Check size_bytes and the address in the manifest.'
    ]
  },
  {
    title: 'S12 never ends the body',
    fault: chunkedUpTo(({ body }, at) => [chunked(body.subarray(at))], 'flood'),
    hits: 'a byte',
    connections: 1,
    declared: BOTH,
    leaves: 'nothing',
    ends: [
      'size-mismatch',
      `${ADDRESS} sent more than the ${CONTENT.length} bytes that the file has.`,
      ADDRESS,
      'Check size_bytes in the manifest; if it is right, use another source.'
    ]
  },
  {
    title: 'S13 encodes the body although the plain bytes were asked for',
    fault: (answer) => encoded(answer, gzipSync(CONTENT.subarray(0, 1000))),
    hits: 'every answer',
    ends: [
      'bad-response',
      'HOST sent the file with the encoding "gzip", although only the plain bytes were asked for.',
      ADDRESS,
      'Ask whoever runs the server to send the file as it is, or use another source.'
    ]
  },
  {
    title: 'S14 cuts an encoded body short',
    fault: (answer) => encoded(answer, gzipSync(CONTENT.subarray(0, 1000)).subarray(0, 500)),
    hits: 'every answer',
    ends: [
      'bad-response',
      'HOST sent the file with the encoding "gzip", although only the plain bytes were asked for.',
      ADDRESS,
      'Ask whoever runs the server to send the file as it is, or use another source.'
    ]
  },
  {
    title: 'S15 sends an encoded bomb',
    fault: (answer) => encoded(answer, gzipSync(Buffer.alloc(50_000_000))),
    hits: 'every answer',
    ends: [
      'bad-response',
      'HOST sent the file with the encoding "gzip", although only the plain bytes were asked for.',
      ADDRESS,
      'Ask whoever runs the server to send the file as it is, or use another source.'
    ]
  },
  { title: 'S32 resets the connection, once', fault: stop('reset'), hits: 'a byte', times: 1, ends: 'exact' },
  {
    title: 'S32 resets the connection, always',
    fault: stop('reset'),
    hits: 'every answer',
    ends: ['network', 'HOST: the connection was closed early.', ADDRESS, TRY_AGAIN]
  },
  { title: 'S37 sends a wrong byte, once', fault: withoutByte, hits: 'a byte', times: 1, fetches: 2, ends: 'exact' },
  {
    title: 'S37 sends a wrong byte, always',
    fault: withoutByte,
    hits: 'a byte',
    leaves: 'nothing',
    ends: [
      'digest-mismatch',
      `${ADDRESS} does not have the content that was promised.`,
      ADDRESS,
      'Its digest is DIGEST and should be DIGEST; check which one is right.'
    ]
  }
];

function encoded(answer: Answer, body: Buffer): Answer {
  return { ...answer, headers: { ...answer.headers, 'Content-Encoding': 'gzip', 'Content-Length': body.length }, body };
}

describeCases(CASES);
