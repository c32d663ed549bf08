import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** A request as it came over the wire; header names in lower case. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** 1 for the first request of the server's life. */
  readonly count: number;
}

/** What the server does with a request: writes bytes as it likes, correct or not. */
export type RawAnswer = (request: RawRequest, socket: Socket) => void | Promise<void>;

export interface RawServer {
  readonly origin: string;
  readonly requests: readonly RawRequest[];
  /** Waits until the other side has closed every connection. */
  abandoned(): Promise<void>;
  close(): Promise<void>;
}

/** Without a handler of its own a HEAD is not served, as by many a server; it is not among the requests. */
const NO_HEAD: RawAnswer = (_, socket) => respond(socket, 405, { 'Content-Length': 0 });

/**
 * Starts a server on loopback whose answers are written byte by byte by the test, for answers no library gives.
 * @param tls key and certificate of an https server
 */
export async function startRawServer(answer: RawAnswer, answerHead = NO_HEAD, tls?: TlsOptions): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        const request = parseHead(head.slice(0, end), requests.length + 1);
        head = head.slice(end + 4);
        if (request.method === 'HEAD') {
          void answerHead(request, socket);
          continue;
        }
        requests.push(request);
        void answer(request, socket);
      }
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    async abandoned() {
      await Promise.all(Array.from(sockets, (socket) => once(socket, 'close')));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    }
  };
}

/** Writes a whole answer and leaves the connection open. */
export function respond(
  socket: Socket,
  status: number | string,
  headers: Readonly<Record<string, string | number>>,
  body: Uint8Array | string = ''
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Reason\r\n${lines.join('')}\r\n`);
  if (body.length > 0) socket.write(body);
}

/** The first byte that a request asks for with Range; 0 without one. */
export function rangeStart({ headers }: RawRequest): number {
  return Number(/^bytes=(\d+)-$/.exec(headers['range'] ?? '')?.[1] ?? 0);
}

function parseHead(head: string, count: number): RawRequest {
  const [line = '', ...rest] = head.split('\r\n');
  const [method = '', path = ''] = line.split(' ');
  const headers = Object.fromEntries(
    rest.map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    })
  );
  return { method, path, headers, count };
}
