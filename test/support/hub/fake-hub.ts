import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { apiEntry, etagOf, type HubContent } from './hub-content';

/** One revision of a repository on the hub. */
export interface HubRevision {
  readonly commit: string;
  /** Branches that lead here. */
  readonly branches: readonly string[];
  readonly files: Readonly<Record<string, HubContent>>;
}

/** Repositories by their path on the hub: `owner/repo`, `datasets/owner/repo`. */
export type HubRepositories = Readonly<Record<string, readonly HubRevision[]>>;

/** Is told before a file is served. @returns whether it answered itself */
export type Interference = (path: string, answer: ServerResponse) => Promise<boolean> | boolean;

export interface FakeHub {
  readonly origin: string;
  /** Every file that was asked for with GET: its path on the hub. */
  readonly fetched: readonly string[];
  /** The value of `Authorization` of every request, in order. */
  readonly proofs: readonly (string | undefined)[];
}

/** Serves repositories as the hub does, on loopback, until the test ends. */
export async function startFakeHub(
  repositories: HubRepositories,
  interfere: Interference = () => false
): Promise<FakeHub> {
  const fetched: string[] = [];
  const proofs: (string | undefined)[] = [];
  const server = createServer((request, answer) => {
    proofs.push(request.headers.authorization);
    void serve(request, answer, { repositories, fetched, interfere });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, fetched, proofs };
}

interface Hub {
  readonly repositories: HubRepositories;
  readonly fetched: string[];
  readonly interfere: Interference;
}

async function serve(request: IncomingMessage, answer: ServerResponse, hub: Hub): Promise<void> {
  const { pathname } = new URL(request.url ?? '', 'http://hub');
  const path = decodeURIComponent(pathname.slice(1));
  const api = /^api\/(model|dataset|space)s\/(.+?)\/(revision|tree|paths-info)\/(.+)$/.exec(path);
  if (api) {
    const [, kind = '', name = '', what = '', revisionName = ''] = api;
    const revision = find(hub, kind === 'model' ? name : `${kind}s/${name}`, revisionName);
    return revision ? serveApi(what, revision, request, answer) : notFound(answer, 'RevisionNotFound');
  }
  const [, repository = '', revisionName = '', file = ''] = /^(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const content = find(hub, repository, revisionName)?.files[file];
  if (!content) return notFound(answer, 'EntryNotFound');
  if (request.method === 'GET') hub.fetched.push(path);
  if (!(await hub.interfere(path, answer))) serveContent(content, request, answer);
}

function find({ repositories }: Hub, repository: string, name: string): HubRevision | undefined {
  return repositories[repository]?.find(({ commit, branches }) => commit === name || branches.includes(name));
}

async function serveApi(
  what: string,
  { commit, files }: HubRevision,
  request: IncomingMessage,
  answer: ServerResponse
): Promise<void> {
  const entries = Object.entries(files).map(([path, content]) => apiEntry(path, content));
  if (what === 'revision') return json(answer, { _id: '1', id: 'repository', sha: commit, lastModified: 0 });
  if (what === 'tree') return json(answer, entries);
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { paths } = JSON.parse(body) as { paths: string[] };
  const lastCommit = { id: commit, title: 'test', date: new Date(0).toISOString() };
  json(
    answer,
    entries.filter(({ path }) => paths.includes(path)).map((entry) => ({ ...entry, lastCommit }))
  );
}

function serveContent(content: HubContent, request: IncomingMessage, answer: ServerResponse): void {
  const { bytes, isLarge } = content;
  const etag = `"${etagOf(content)}"`;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = to ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
  const range = from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
  answer.writeHead(from === undefined ? 200 : 206, {
    'content-length': end - start,
    'accept-ranges': 'bytes',
    etag,
    ...range,
    ...(isLarge && { 'x-linked-etag': etag, 'x-linked-size': bytes.length })
  });
  answer.end(request.method === 'HEAD' ? undefined : bytes.subarray(start, end));
}

function json(answer: ServerResponse, value: unknown): void {
  answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function notFound(answer: ServerResponse, code: string): void {
  answer.writeHead(404, { 'x-error-code': code, 'content-length': 0 }).end();
}
