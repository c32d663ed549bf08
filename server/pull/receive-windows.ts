import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** One read of a connection goes into one window. */
const WINDOW_BYTES = 64 * 1024;

/**
 * What is smaller is copied, and its window used for the next read: as many small ones may come as they like while a
 * window waits, or the rest of one that a reader who paused has put back.
 */
const COPIED_BYTES = 16 * 1024;

/**
 * More windows than wait at any time: a connection stops reading when as much waits as one read brings, which is at
 * most the rest of one window, four that are not copied, one that was being filled, and one that was begun.
 */
const WINDOWS = 8;

/**
 * Makes connections that receive into the same few windows over and over. By itself Node allocates 64 KiB for each
 * read, and V8's threads are as busy collecting those as the worker is with hashing. Whoever reads such a connection
 * has to be done with a chunk when it asks for the next one.
 */
export function windowedConnector(
  build: typeof buildConnector,
  options: buildConnector.BuildOptions
): buildConnector.connector {
  return (target, callback) => {
    const memory = Buffer.allocUnsafeSlow(WINDOWS * WINDOW_BYTES);
    let socket: Socket | undefined;
    let turn = 0;
    let isHandedOn = false;
    const onread = {
      buffer(): Uint8Array {
        if (isHandedOn) turn = (turn + 1) % WINDOWS;
        isHandedOn = false;
        return memory.subarray(turn * WINDOW_BYTES, (turn + 1) * WINDOW_BYTES);
      },
      callback(bytes: number, window: Uint8Array): boolean {
        const chunk = window.subarray(0, bytes);
        isHandedOn = bytes >= COPIED_BYTES;
        return socket?.push(isHandedOn ? chunk : Buffer.from(chunk)) ?? false;
      }
    };
    // One of its own for each connection, which nothing can be received from before it is made.
    const connect = build({ ...options, onread });
    connect(target, (...result) => {
      socket = result[1] ?? undefined;
      callback(...result);
    });
  };
}
