// Serves one file of any size that lies nowhere: the same block over and over. With ranges and a strong ETag.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { startScript } from './child-server.mjs';
import { FILENAME } from './product.mjs';

const BLOCK_BYTES = 2 ** 20;

const here = fileURLToPath(import.meta.url);

/**
 * Starts the server in a process of its own.
 * @param {number} bytes
 * @returns {Promise<import('./product.mjs').BenchFile & { close: () => Promise<void> }>}
 */
export async function startGenerator(bytes) {
  const { port, sha256, close } = await startScript(here, { bytes });
  return { url: `http://127.0.0.1:${port}/${FILENAME}`, bytes, sha256, close };
}

function* contentOf(block, start, end) {
  for (let position = start; position < end; ) {
    const offset = position % block.length;
    const chunk = block.subarray(offset, Math.min(block.length, offset + end - position));
    yield chunk;
    position += chunk.length;
  }
}

async function answer(request, response, { bytes, block }) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = last ? Number(last) + 1 : bytes;
  response.writeHead(first === undefined ? 200 : 206, {
    'Accept-Ranges': 'bytes',
    'Content-Length': end - start,
    ETag: '"generated"',
    ...(first !== undefined && { 'Content-Range': `bytes ${start}-${end - 1}/${bytes}` })
  });
  try {
    await pipeline(Readable.from(contentOf(block, start, end)), response);
  } catch (error) {
    if (!response.destroyed) throw error;
  }
}

if (process.argv[1] === here) {
  const content = { ...JSON.parse(process.argv[2]), block: randomBytes(BLOCK_BYTES) };
  const hash = createHash('sha256');
  for (const chunk of contentOf(content.block, 0, content.bytes)) hash.update(chunk);
  const server = http
    .createServer((request, response) => void answer(request, response, content))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  console.log(JSON.stringify({ port: server.address().port, sha256: hash.digest('hex') }));
}
