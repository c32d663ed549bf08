import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { S3Server } from './s3-server';

/** A request as the proxy sees it. */
export interface SeenRequest {
  readonly method: string;
  /** The path as it was sent: `/bucket/key`, encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** How often this was asked before, with the same method, path and query: 0 for the first time. */
  readonly nth: number;
}

/** What goes wrong with a request. */
export type S3Fault =
  /** Refused in S3's words; it does not reach the server. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly retryAfter?: string }
  /** The connection breaks once so many bytes of the request's body have arrived; it does not reach the server. */
  | { readonly kind: 'upload-reset'; readonly afterBytes: number }
  /** The server does what it is asked for, and the connection breaks before the answer. */
  | { readonly kind: 'answer-lost' }
  /** The connection breaks after so many bytes of the answer's body. */
  | { readonly kind: 'download-reset'; readonly afterBytes: number }
  /** The answer's body ends after so many bytes as if that was all, although its head told more. */
  | { readonly kind: 'truncated'; readonly afterBytes: number }
  /** So many bytes of the answer's body at a time, with a pause after each. */
  | { readonly kind: 'slow'; readonly chunkBytes: number; readonly pauseMs: number }
  /** Another header in the answer than the server sent. */
  | { readonly kind: 'answer-header'; readonly name: string; readonly value: string }
  /** Something happens before the request reaches the server. */
  | { readonly kind: 'preceded'; readonly by: () => Promise<unknown> }
  /** Something happens once the server has answered, before its answer goes on to the client. */
  | { readonly kind: 'followed'; readonly by: () => Promise<unknown> };

/** Refusals as S3 words them. */
export const REFUSALS = {
  slowDown: { kind: 'refused', status: 503, code: 'SlowDown' },
  internalError: { kind: 'refused', status: 500, code: 'InternalError' },
  tooSkewed: { kind: 'refused', status: 403, code: 'RequestTimeTooSkewed' },
  expiredToken: { kind: 'refused', status: 400, code: 'ExpiredToken' },
  requestTimeout: { kind: 'refused', status: 400, code: 'RequestTimeout' }
} as const satisfies Readonly<Record<string, S3Fault>>;

/** Stands in front of an S3 server and has requests go wrong; it ends with the test. */
export class FaultProxy {
  /** Every request so far, in the order in which they arrived. */
  readonly requests: SeenRequest[] = [];
  private readonly server: Server;

  private constructor(
    private readonly target: URL,
    private readonly faultOf: (request: SeenRequest) => S3Fault | undefined
  ) {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  /** @param faultOf asked for each request; undefined lets it pass */
  static async start(server: S3Server, faultOf: (request: SeenRequest) => S3Fault | undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(server.endpoint), faultOf);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    onTestFinished(async () => {
      proxy.server.closeAllConnections();
      proxy.server.close();
      await once(proxy.server, 'close');
    });
    return proxy;
  }

  /** To be used in the place of the server's own: signatures cover the host, which is handed on as it came. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = this.see(request);
    const fault = this.faultOf(seen);
    if (fault?.kind === 'refused') return refuse(request, response, fault);
    if (fault?.kind === 'upload-reset') return breakUpload(request, fault.afterBytes);
    if (fault?.kind === 'preceded') await fault.by();
    const answer = await this.forward(request);
    if (fault?.kind === 'answer-lost') {
      await drained(answer);
      return reset(request);
    }
    if (fault?.kind === 'followed') await fault.by();
    if (fault?.kind === 'answer-header') answer.headers[fault.name] = fault.value;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    for await (const chunk of shaped(answer, fault)) await written(response, chunk);
    if (fault?.kind === 'download-reset') reset(request);
    else if (fault?.kind === 'truncated') request.socket.end();
    else response.end();
  }

  private see({ method = '', url = '', headers }: IncomingMessage): SeenRequest {
    const { pathname, searchParams } = new URL(url, this.target);
    const isSame = (other: SeenRequest): boolean =>
      other.method === method && other.path === pathname && String(other.query) === String(searchParams);
    const nth = this.requests.filter(isSame).length;
    const texts = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const seen = { method, path: pathname, query: searchParams, headers: Object.fromEntries(texts), nth };
    this.requests.push(seen);
    return seen;
  }

  private async forward(request: IncomingMessage): Promise<IncomingMessage> {
    const { hostname, port } = this.target;
    const { method, url, headers } = request;
    const upstream = send({ hostname, port, method, path: url, headers, agent: false });
    request.pipe(upstream);
    request.on('close', () => void (request.complete || upstream.destroy()));
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    return answer;
  }
}

/** The chunks of an answer that reach the client. */
async function* shaped(answer: IncomingMessage, fault: S3Fault | undefined): AsyncIterable<Buffer> {
  const most = fault && 'afterBytes' in fault ? fault.afterBytes : Number.POSITIVE_INFINITY;
  let sent = 0;
  for await (const whole of answer as AsyncIterable<Buffer>) {
    const chunk = whole.subarray(0, most - sent);
    sent += chunk.length;
    const size = fault?.kind === 'slow' ? fault.chunkBytes : chunk.length;
    for (let at = 0; at < chunk.length; at += size) {
      yield chunk.subarray(at, at + size);
      if (fault?.kind === 'slow') await delay(fault.pauseMs);
    }
    if (sent === most) return;
  }
}

async function written(response: ServerResponse, chunk: Buffer): Promise<void> {
  if (!response.write(chunk)) await once(response, 'drain');
}

async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, retryAfter }: Extract<S3Fault, { kind: 'refused' }>
): Promise<void> {
  await drained(request);
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><RequestId>tx1</RequestId></Error>`;
  response.writeHead(status, {
    'content-type': 'application/xml',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter })
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function breakUpload(request: IncomingMessage, afterBytes: number): Promise<void> {
  let received = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    received += (chunk as Buffer).length;
    if (received >= afterBytes) break;
  }
  reset(request);
}

async function drained(message: IncomingMessage): Promise<void> {
  message.resume();
  if (!message.complete) await once(message, 'end');
}

function reset({ socket }: IncomingMessage): void {
  socket.resetAndDestroy();
}
