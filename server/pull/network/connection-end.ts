import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { isErrorWithCode } from '../../platform/system-error';

/**
 * Has the reader of a connection hear that it ended only when it asks for more, behind all that was received. undici's
 * parser fails an assertion, which ends the network thread with all its transfers, when it learns of an end or a reset
 * while it pauses, be it at the last byte: https://github.com/nodejs/undici/issues/5360, mended in later major versions.
 * @param handOn hands on what was received and kept back
 */
export function holdEnd(socket: Socket, handOn: () => void = () => undefined): void {
  const push = socket.push.bind(socket);
  const read = socket.read.bind(socket);
  const destroy = socket.destroy.bind(socket);
  /** Whether the reader has taken all that was handed on and asked for more. */
  let isAsked = true;
  let held: (() => void) | undefined;
  const end = (tell: () => void): void => {
    handOn();
    if (isAsked) tell();
    else held ??= tell;
  };
  socket.push = (chunk, ...encoding) => {
    if (chunk === null) {
      end(() => push(null));
      return false;
    }
    isAsked = false;
    return push(chunk, ...encoding);
  };
  socket.read = (size) => {
    const chunk: unknown = read(size);
    if (chunk !== null || size === 0) return chunk;
    isAsked = true;
    if (!held) return null;
    held();
    held = undefined;
    return read(size);
  };
  socket.destroy = (error) => {
    if (!isErrorWithCode(error, 'ECONNRESET')) return destroy(error);
    const brokenOff = new BrokenOff(error);
    // After a write that failed nothing more is read, and nobody asks.
    if (!isOfReading(error)) return destroy(brokenOff);
    // Once the parser is done with what it has: a whole answer stays one, whatever comes behind it.
    end(() => process.nextTick(destroy, brokenOff));
    return socket;
  };
}

/**
 * A connection that was reset. By another code, for undici takes ECONNRESET for the orderly end of a body that nothing
 * else tells the end of; this is the one that it has itself for a connection that broke.
 */
class BrokenOff extends Error {
  readonly code = 'UND_ERR_SOCKET';

  constructor(cause: unknown) {
    super('the connection was reset', { cause });
  }
}

function isOfReading(error: Error | undefined): boolean {
  return error !== undefined && 'syscall' in error && error.syscall === 'read';
}

/** Makes connections whose ends are held. */
export function endHoldingConnector(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) => {
    connect(target, (...result) => {
      if (result[1]) holdEnd(result[1]);
      callback(...result);
    });
  };
}
