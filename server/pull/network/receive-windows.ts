import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { holdEnd } from './connection-end';
import { TlsSessions } from './tls-sessions';

/** What one buffer of a connection holds. */
const WINDOW_BYTES = 256 * 1024;

/** One read of a connection gets at least this much room, and at most that of a chunk. */
const READ_BYTES = 64 * 1024;

/** So much is handed on at once while more arrives. Each step costs the same, however few bytes it brings. */
const CHUNK_BYTES = 128 * 1024;

/**
 * Makes connections that receive into the same two windows over and over, and hand on what one turn of the event loop
 * brings as few chunks. By itself Node allocates 64 KiB for each read, and V8's threads are as busy collecting those as
 * the worker is with hashing; and each record of TLS, 16 KiB at most, goes through stream and parser by itself. Whoever
 * reads such a connection has to be done with a chunk when it asks for the next one.
 */
export function windowedConnector(
  build: typeof buildConnector,
  options: buildConnector.BuildOptions
): buildConnector.connector {
  const sessions = new TlsSessions();
  return (target, callback) => {
    const windows = new ReceiveWindows();
    const onread = {
      buffer: () => windows.room(),
      callback: (bytes: number) => windows.received(bytes)
    };
    const session = sessions.of(target);
    // One of its own for each connection, which nothing can be received from before it is made.
    const connect = build({ ...options, onread, ...(session && { session }) });
    connect(target, (...result) => {
      const [, socket] = result;
      if (socket) {
        windows.serve(socket);
        sessions.listen(target, socket);
      }
      callback(...result);
    });
  };
}

/** The two windows of one connection: one is filled while the other is read. */
class ReceiveWindows {
  private filling = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  private other = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  /** Of the window that is filled: how much of it was handed on, and how much was received. */
  private handedOn = 0;
  private filled = 0;
  private socket: Socket | undefined;
  private atEndOfTurn: NodeJS.Immediate | undefined;

  serve(socket: Socket): void {
    this.socket = socket;
    holdEnd(socket, () => this.handOn());
  }

  /** Where the next read goes. */
  room(): Uint8Array {
    if (WINDOW_BYTES - this.filled < READ_BYTES) this.turnOver();
    return this.filling.subarray(this.filled, this.filled + CHUNK_BYTES);
  }

  /** Takes notice of a read. @returns whether there may be another one */
  received(bytes: number): boolean {
    this.filled += bytes;
    const mayGoOn = this.waitingBytes === 0;
    if (this.filled - this.handedOn >= CHUNK_BYTES) this.handOn();
    else this.atEndOfTurn ??= setImmediate(() => this.handOn());
    return mayGoOn;
  }

  /** What was handed on and not read yet; or read, and put back by a reader who paused. */
  private get waitingBytes(): number {
    return this.socket?.readableLength ?? 0;
  }

  private handOn(): void {
    clearImmediate(this.atEndOfTurn);
    this.atEndOfTurn = undefined;
    const chunk = this.filling.subarray(this.handedOn, this.filled);
    this.handedOn = this.filled;
    if (chunk.length === 0) return;
    this.socket?.push(chunk);
  }

  /** Goes on with the other window, if nothing of it waits: what waits is what was handed on last. */
  private turnOver(): void {
    this.handOn();
    const free = this.waitingBytes <= this.filled ? this.other : Buffer.allocUnsafeSlow(WINDOW_BYTES);
    this.other = this.filling;
    this.filling = free;
    this.handedOn = 0;
    this.filled = 0;
  }
}
