// Stands for a distant server that limits each connection: passes TCP connections on, each with a rate of its own and
// with a delay in both directions. A limit for each request, as nginx has it, would be escaped by asking often. What it
// does not imitate: the handshake and the slow start of TCP, which cost every client alike.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startScript } from './child-server.mjs';

/** How much may wait in a direction of a connection before its sender is told to stop, in ms of its rate. */
const QUEUED_MS = 100;

const here = fileURLToPath(import.meta.url);

/**
 * Starts the proxy in a process of its own.
 * @param {{ target: number, bytesPerSecond: number, delayMs: number }} options port that is passed on to; delay of
 *   each direction
 * @returns {Promise<import('./child-server.mjs').ChildServer>}
 */
export const startThrottle = (options) => startScript(here, options);

/** Passes one direction on: what arrives leaves after the delay, and not faster than the rate. */
function passOn(from, to, { bytesPerSecond, delayMs }) {
  const queue = [];
  let queuedBytes = 0;
  let freeAt = 0;
  let timer;
  const most = (bytesPerSecond * (QUEUED_MS + delayMs)) / 1000;
  const send = () => {
    timer = undefined;
    const now = performance.now();
    while (queue.length > 0 && queue[0].leavesAt <= now) {
      if (to.writableNeedDrain) return;
      const { chunk } = queue.shift();
      queuedBytes -= chunk.length;
      to.write(chunk);
    }
    if (queuedBytes < most) from.resume();
    if (queue.length > 0) timer = setTimeout(send, queue[0].leavesAt - now);
    else if (from.readableEnded) to.end();
  };
  to.on('drain', send);
  from.on('data', (chunk) => {
    freeAt = Math.max(freeAt, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
    queue.push({ chunk, leavesAt: freeAt + delayMs });
    queuedBytes += chunk.length;
    if (queuedBytes >= most) from.pause();
    timer ??= setTimeout(send, queue[0].leavesAt - performance.now());
  });
  from.on('end', () => {
    if (queue.length === 0) to.end();
  });
  from.on('error', () => to.destroy());
  from.on('close', () => {
    if (!from.readableEnded) to.destroy();
  });
}

if (process.argv[1] === here) {
  const options = JSON.parse(process.argv[2]);
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: options.target, host: '127.0.0.1', noDelay: true });
    passOn(near, far, options);
    passOn(far, near, options);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  console.log(JSON.stringify({ port: server.address().port }));
}
