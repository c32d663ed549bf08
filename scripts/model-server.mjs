// An HTTP server on loopback for a folder of files, with everything a resumable download relies on: ranges,
// a strong ETag, If-Range, lengths. It serves the samples and is the well-behaved host in tests of pulls.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The port that the sample manifests name. */
export const SAMPLE_PORT = 47_800;

/** How much a throttled answer sends at once, as a part of what it may send in a second. */
const SLICES_PER_SECOND = 20;

/**
 * @typedef {object} ServedFile
 * @property {string} path absolute
 * @property {number} bytes
 * @property {string} etag strong, the SHA-256 in quotes
 */

/**
 * @typedef {object} ModelServerOptions
 * @property {string} folder its files are served under their relative paths
 * @property {number} [port] preferred port; another free one is taken when it is in use; 0 takes any (default)
 * @property {number} [bytesPerSecond] limit for each connection
 * @property {(request: http.IncomingMessage, response: http.ServerResponse, file: ServedFile) => unknown} [onRequest]
 *   called before a file is answered, may be async; an answer that it begins (headers sent or socket destroyed)
 *   is left to it
 */

/**
 * @typedef {object} ModelServer
 * @property {number} port
 * @property {string} origin `http://127.0.0.1:<port>`
 * @property {() => Promise<void>} close ends open connections too
 */

/**
 * Serves a folder until closed.
 * @param {ModelServerOptions} options
 * @returns {Promise<ModelServer>}
 */
export async function startModelServer({ folder, port = 0, bytesPerSecond, onRequest }) {
  const findFile = fileFinder(path.resolve(folder));
  const server = http.createServer((request, response) => {
    answer(request, response, { findFile, bytesPerSecond, onRequest }).catch((error) => response.destroy(error));
  });
  const bound = await listen(server, port);
  return {
    port: bound,
    origin: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      })
  };
}

async function answer(request, response, { findFile, bytesPerSecond, onRequest }) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const file = await findFile(request.url ?? '/');
  if (!file) {
    response.writeHead(404).end();
    return;
  }
  await onRequest?.(request, response, file);
  if (!response.headersSent && !response.destroyed) await answerFile(request, response, file, bytesPerSecond);
}

async function answerFile(request, response, file, bytesPerSecond) {
  const range = request.method === 'GET' ? requestedRange(request.headers, file) : undefined;
  const headers = { 'Accept-Ranges': 'bytes', 'Content-Type': 'application/octet-stream', ETag: file.etag };
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${file.bytes}` }).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: file.bytes - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'Content-Length': last - first + 1,
    ...(range && { 'Content-Range': `bytes ${first}-${last}/${file.bytes}` })
  });
  if (request.method === 'HEAD' || last < first) response.end();
  else await send(file.path, first, last, response, bytesPerSecond);
}

async function send(file, first, last, response, bytesPerSecond) {
  const slice = bytesPerSecond && Math.max(1, Math.round(bytesPerSecond / SLICES_PER_SECOND));
  const content = createReadStream(file, { start: first, end: last, ...(slice && { highWaterMark: slice }) });
  const paced = async function* (chunks) {
    for await (const chunk of chunks) {
      yield chunk;
      await sleep((chunk.length / bytesPerSecond) * 1000);
    }
  };
  try {
    await (bytesPerSecond ? pipeline(content, paced, response) : pipeline(content, response));
  } catch (error) {
    // A client that goes away in the middle is normal here: that is how downloads get interrupted.
    if (!response.destroyed) throw error;
  }
}

/**
 * The range that a request asks for, by RFC 9110: several ranges at once, other units and an If-Range that is not
 * this very content are answered in full.
 * @param {http.IncomingHttpHeaders} headers
 * @param {ServedFile} file
 * @returns {{ first: number, last: number } | 'unsatisfiable' | undefined} inclusive byte positions
 */
function requestedRange(headers, { bytes, etag }) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(headers.range?.replaceAll(' ', '') ?? '') ?? [];
  if (from === undefined || (from === '' && to === '')) return undefined;
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return undefined;
  if (from === '') {
    return bytes === 0 || Number(to) === 0
      ? 'unsatisfiable'
      : { first: Math.max(0, bytes - Number(to)), last: bytes - 1 };
  }
  if (to !== '' && Number(to) < Number(from)) return undefined;
  if (Number(from) >= bytes) return 'unsatisfiable';
  return { first: Number(from), last: to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1) };
}

/** Finds files below a folder by request address; digests are remembered as long as size and time stay the same. */
function fileFinder(folder) {
  const digests = new Map();
  return async (address) => {
    const pathname = decodedPath(address);
    const file = pathname && path.join(folder, pathname);
    if (!file?.startsWith(folder + path.sep)) return undefined;
    const stats = await stat(file).catch(() => undefined);
    if (!stats?.isFile()) return undefined;
    const key = `${file}\0${stats.size}\0${stats.mtimeMs}`;
    if (!digests.has(key)) digests.set(key, sha256OfFile(file));
    return { path: file, bytes: stats.size, etag: `"${await digests.get(key)}"` };
  };
}

function decodedPath(address) {
  try {
    return decodeURIComponent(new URL(address, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file
 * @returns {Promise<string>} 64 lower-case hexadecimal digits
 */
export async function sha256OfFile(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Listens on the wanted port of 127.0.0.1, or on any when that one is taken. */
async function listen(server, wanted) {
  try {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    if (error.code !== 'EADDRINUSE' || wanted === 0) throw error;
    return listen(server, 0);
  }
  return server.address().port;
}
