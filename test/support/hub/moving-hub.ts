import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { serveContent } from '../serve-content';

/** Files of a repository by path; those of at least `LARGE_BYTES` are kept apart from git, as the hub does. */
export type HubFiles = Readonly<Record<string, Buffer>>;

const LARGE_BYTES = 1000;
const REPOSITORY = 'owner/repo';

export interface MovingHubOptions {
  /** Whether revisions are listed; mirrors often serve files only. */
  readonly lists?: boolean;
  /** Entries of a page of the listing. */
  readonly pageSize?: number;
  /** Sees every request first, and may answer it. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A hub with one model repository, `owner/repo`, whose branch `main` moves when it is published to. */
export interface MovingHub {
  readonly origin: string;
  /** Method, path and query of every request. */
  readonly requests: readonly string[];
  /** The value of Authorization in every request. */
  readonly proofs: readonly (string | undefined)[];
  /** Answers that are under way. */
  readonly underWay: () => number;
  publish(files: HubFiles): string;
}

export async function startMovingHub(files: HubFiles, options: MovingHubOptions = {}): Promise<MovingHub> {
  const requests: string[] = [];
  const proofs: (string | undefined)[] = [];
  let underWay = 0;
  const commits = new Map<string, HubFiles>();
  const heads = { main: '' };
  const publish = (published: HubFiles): string => {
    const commit = sha1(Buffer.from(JSON.stringify(Object.entries(published).map(([path, b]) => [path, sha1(b)]))));
    commits.set(commit, published);
    commits.set('main', published);
    heads.main = commit;
    return commit;
  };
  publish(files);
  const server = createServer((request, response) => {
    underWay += 1;
    response.on('close', () => (underWay -= 1));
    requests.push(`${request.method} ${request.url}`);
    proofs.push(request.headers.authorization);
    if (options.before?.(request, response)) return;
    const url = new URL(request.url ?? '', origin);
    const [, tree] = new RegExp(`^/api/models/${REPOSITORY}/tree/([^/]+)$`).exec(url.pathname) ?? [];
    const [, revision, path] = new RegExp(`^/${REPOSITORY}/resolve/([^/]+)/(.+)$`).exec(url.pathname) ?? [];
    const [, stored] = /^\/storage\/(.+)$/.exec(url.pathname) ?? [];
    const commit = heads.main;
    if (tree !== undefined && options.lists !== false) {
      list(response, { url, files: commits.get(tree), commit: tree === 'main' ? commit : tree, ...options });
    } else if (revision !== undefined && path !== undefined) {
      resolveFile(request, response, commits.get(revision)?.[decodeURIComponent(path)]);
    } else if (stored !== undefined) {
      const all = [...commits.values()].flatMap((each) => Object.values(each));
      serveContent(
        request,
        response,
        all.find((bytes) => sha256(bytes) === stored),
        `"${stored}"`
      );
    } else {
      response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { origin, requests, proofs, underWay: () => underWay, publish };
}

interface Listing extends MovingHubOptions {
  readonly url: URL;
  readonly files: HubFiles | undefined;
  readonly commit: string;
}

function list(response: ServerResponse, { url, files, commit, pageSize = 1000 }: Listing): void {
  if (!files) {
    response.writeHead(404, { 'X-Error-Code': 'RevisionNotFound' }).end();
    return;
  }
  const start = Number(url.searchParams.get('cursor') ?? 0);
  const entries = Object.entries(files).map(([path, bytes]) => ({
    type: 'file',
    path,
    size: bytes.length,
    oid: gitSha1(bytes),
    ...(bytes.length >= LARGE_BYTES && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } })
  }));
  const next = new URL(url);
  next.searchParams.set('cursor', String(start + pageSize));
  const more = start + pageSize < entries.length;
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'X-Repo-Commit': commit,
    ...(more && { Link: `<${next.href}>; rel="next"` })
  });
  response.end(JSON.stringify(entries.slice(start, start + pageSize)));
}

function resolveFile(request: IncomingMessage, response: ServerResponse, bytes: Buffer | undefined): void {
  if (!bytes || bytes.length < LARGE_BYTES) {
    serveContent(request, response, bytes, bytes && `"${gitSha1(bytes)}"`);
    return;
  }
  const digest = sha256(bytes);
  response.writeHead(302, {
    Location: `/storage/${digest}`,
    'X-Linked-Etag': `"${digest}"`,
    'X-Linked-Size': bytes.length
  });
  response.end();
}

function gitSha1(bytes: Buffer): string {
  return sha1(Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]));
}

function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
