import { onTestFinished } from 'vitest';
import { type RawRequest, respond, startRawServer } from './raw-http-server';

/** A server of contents by path that answers ranges and counts what it sends. */
export interface RangeSite {
  readonly origin: string;
  readonly contents: Map<string, Buffer>;
  readonly requests: readonly RawRequest[];
  /** Bytes of bodies that were sent. */
  sentBytes(): number;
}

/** Starts one that ends with the test; every content has the ETag "v1". */
export async function rangeSite(): Promise<RangeSite> {
  let sent = 0;
  const contents = new Map<string, Buffer>();
  const server = await startRawServer((request, socket) => {
    const content = contents.get(request.path) ?? Buffer.alloc(0);
    const [range, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers['range'] ?? '') ?? [];
    const body = content.subarray(Number(first), last === '' ? content.length : Number(last) + 1);
    sent += body.length;
    const part = { 'Content-Range': `bytes ${first}-${Number(first) + body.length - 1}/${content.length}` };
    const headers = { 'Content-Length': body.length, ETag: '"v1"', 'Accept-Ranges': 'bytes', ...(range && part) };
    respond(socket, range === undefined ? 200 : 206, headers, body);
  });
  onTestFinished(() => server.close());
  return { origin: server.origin, contents, requests: server.requests, sentBytes: () => sent };
}
