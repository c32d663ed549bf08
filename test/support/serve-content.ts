import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers a GET or HEAD as a good server does: parts, conditions, and 404 for a content that is not there. */
export function serveContent(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer | undefined,
  etag = ''
): void {
  if (!bytes) {
    response.writeHead(404).end();
    return;
  }
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const condition = request.headers['if-range'];
  const isPart = from !== undefined && (condition === undefined || condition === etag);
  const start = isPart ? Number(from) : 0;
  const end = isPart && to ? Number(to) + 1 : bytes.length;
  if (isPart && start >= bytes.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
    return;
  }
  const range = { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` };
  response.writeHead(isPart ? 206 : 200, {
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Content-Length': end - start,
    ...(isPart && range)
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start, end));
}
