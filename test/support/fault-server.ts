import type { Socket } from 'node:net';
import { type RawRequest, type RawServer, startRawServer } from './raw-http-server';

/** An answer as a server should give it; faults change it before it goes out. */
export interface Answer {
  readonly request: RawRequest;
  readonly version: 'HTTP/1.1' | 'HTTP/1.0';
  readonly status: number;
  /** Header lines; undefined leaves one out, a list sends it several times. */
  readonly headers: Readonly<Record<string, string | number | readonly (string | number)[] | undefined>>;
  /** Offset of the body's first byte in the content. */
  readonly start: number;
  readonly body: Buffer;
  /** What goes over the wire instead of the plain body. */
  readonly wire?: readonly (Buffer | string)[];
  /** What happens once the body is written; `keep` leaves the connection to the next request. */
  readonly ending: Ending;
}

/**
 * `crawl`: a byte now and then; `flood`: chunks without end; `silence`: nothing at all, not even a head; `drip`: a head
 * that never ends.
 */
export type Ending = 'keep' | 'end' | 'reset' | 'crawl' | 'flood' | 'silence' | 'drip';

/** Makes a wrong answer of a right one. @param at the byte of the body that it is to hit, counted in the body */
export type Fault = (answer: Answer, at: number) => Answer;

export interface FaultPlan {
  readonly content: Buffer;
  /** How right answers are told where they end; with a length when it is left out. */
  readonly shape?: (answer: Answer) => Answer;
  readonly fault?: Fault;
  /** The byte of the content that the fault hits; without one, every answer is hit. */
  readonly at?: number;
  /** Which requests the fault spares. */
  readonly spares?: (request: RawRequest) => boolean;
  /** How many answers are hit; every one when it is left out. */
  readonly times?: number | undefined;
  /** What an answer waits for. */
  readonly delay?: (request: RawRequest) => Promise<void>;
  readonly etag?: string | undefined;
  /** Size of the pieces when several connections are used: bytes behind the first piece of an answer are not read. */
  readonly pieceBytes?: number;
}

export interface FaultServer extends RawServer {
  /** Until `begin` only the first answer is given, up to this byte; all other connections are closed. */
  hold(bytes: number): void;
  /** Serves, and commits the fault. */
  begin(): void;
  /** Serves as it should from now on. */
  mend(): void;
  /** How many answers were hit. */
  hits(): number;
}

/** Serves one content over raw sockets, with Range and If-Range, and commits one fault. */
export async function startFaultServer(plan: FaultPlan): Promise<FaultServer> {
  const { fault, shape = (answer) => answer, times = Number.POSITIVE_INFINITY } = plan;
  let hits = 0;
  let phase: 'held' | 'faulty' | 'sound' = 'faulty';
  let heldAt = 0;
  const server = await startRawServer(async (request, socket) => {
    await plan.delay?.(request);
    const answer = shape(rightAnswer(request, plan));
    if (phase === 'held') {
      const wire = request.count === 1 ? wireOf(answer).subarray(0, heldAt) : '';
      if (wire.length > 0) send(socket, { ...answer, wire: [wire], ending: 'end' });
      else socket.destroy();
      return;
    }
    const isSpared = phase === 'sound' || hits >= times || plan.spares?.(request) || !isHit(answer, plan);
    if (!fault || isSpared) {
      send(socket, answer);
      return;
    }
    hits += 1;
    send(socket, fault(answer, (plan.at ?? answer.start) - answer.start));
  });
  return {
    ...server,
    hits: () => hits,
    hold(bytes) {
      phase = 'held';
      heldAt = bytes;
    },
    begin() {
      phase = 'faulty';
    },
    mend() {
      phase = 'sound';
    }
  };
}

/** What RFC 9110 wants: all of it, or one range if the validator still holds. */
function rightAnswer(request: RawRequest, { content, etag }: FaultPlan): Answer {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers['range'] ?? '') ?? [];
  const condition = request.headers['if-range'];
  const isPart = first !== undefined && (condition === undefined || condition === etag);
  const start = isPart ? Number(first) : 0;
  const end = isPart && last ? Number(last) + 1 : content.length;
  const body = content.subarray(start, end);
  return {
    request,
    version: 'HTTP/1.1',
    status: isPart ? 206 : 200,
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Length': body.length,
      'Accept-Ranges': 'bytes',
      ETag: etag,
      'Content-Range': isPart ? `bytes ${start}-${end - 1}/${content.length}` : undefined
    },
    start,
    body,
    ending: 'keep'
  };
}

/** Whether the client is going to read the byte in this answer. */
function isHit({ start, body, request }: Answer, { at, pieceBytes, times }: FaultPlan): boolean {
  if (at === undefined) return true;
  if (at < start || at >= start + body.length) return false;
  // Of the whole content only the first piece is read once the connections share it.
  const isShared = pieceBytes !== undefined && request.headers['range'] === undefined && times !== undefined;
  return !isShared || at < start + pieceBytes;
}

/** Writes an answer, and what comes after it, until the other side is gone. */
function send(socket: Socket, answer: Answer): void {
  if (answer.ending === 'silence') return;
  if (answer.ending === 'drip') {
    socket.write('HTTP/1.1 200 Reason\r\nX-Endless: ');
    crawl(socket, Buffer.alloc(1_000_000, 'x'));
    return;
  }
  const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`)
  );
  socket.write(`${answer.version} ${answer.status} Reason\r\n${lines.join('')}\r\n`);
  const wire = wireOf(answer);
  if (wire.length > 0) socket.write(wire);
  // Behind the write, so that what went before is on its way.
  if (answer.ending === 'reset') socket.write('', () => socket.resetAndDestroy());
  if (answer.ending === 'end') socket.end();
  if (answer.ending === 'crawl') crawl(socket, answer.body.subarray(wire.length));
  if (answer.ending === 'flood') flood(socket);
}

/** What goes over the wire behind the head. */
function wireOf({ wire, body }: Answer): Buffer {
  return wire ? Buffer.concat(wire.map((part) => Buffer.from(part))) : body;
}

/** One byte after the other, until the other side has had enough. */
function crawl(socket: Socket, bytes: Buffer): void {
  let position = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(position, (position += 1))), 20);
  socket.on('close', () => clearInterval(timer));
}

/** As much as the other side takes, as chunks without an end. */
function flood(socket: Socket): void {
  const chunk = chunked(Buffer.alloc(0x1_00_00));
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

/** One chunk of a chunked body. @param claimed the size that it says it has */
export function chunked(bytes: Buffer, claimed = bytes.length): Buffer {
  return Buffer.concat([Buffer.from(`${claimed.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
