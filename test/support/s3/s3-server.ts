import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../servers/programs';
import { freePort } from '../servers/server-process';

const PROGRAMS = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw-admin', 'setpriv'];

/** Ceph's S3 server; undefined where not all that it needs is installed: tests that need it are skipped then. */
export const RADOSGW = PROGRAMS.every(findProgram) ? findProgram('radosgw') : undefined;

/** An S3 server with path-style addresses: `<endpoint>/<bucket>/<key>`. */
export interface S3Server {
  /** An origin over http. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A server under way. */
export interface RunningServer {
  readonly server: S3Server;
  /** What keeps it: it ends with its standard input. */
  readonly keeper: ChildProcessWithoutNullStreams;
  /** All that it has on disk. */
  readonly folder: string;
}

let shared: Promise<S3Server> | undefined;

/** The server of the tests of a file, started with the first that needs it. It ends with their process. */
export function s3Server(): Promise<S3Server> {
  shared ??= startPatiently();
  return shared;
}

/** A new bucket. @returns its name */
export async function createBucket(server: S3Server): Promise<string> {
  const bucket = `tests-${randomBytes(6).toString('hex')}`;
  const answer = await askS3(server, 'PUT', `/${bucket}`);
  if (!answer.ok) throw new Error(`no bucket: ${answer.status} ${await answer.text()}`);
  return bucket;
}

/** What of a request may be chosen. */
export interface AskOptions {
  readonly body?: Uint8Array;
  /** None that begins with `x-amz-`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Asks an S3 server for something, signed in the old way, which is of one line and independent of what is tested.
 * @param path `/bucket/key` without a query
 */
export function askS3(server: S3Server, method: string, path: string, options: AskOptions = {}): Promise<Response> {
  const date = new Date().toUTCString();
  const signed = createHmac('sha1', server.secretAccessKey).update(`${method}\n\n\n\nx-amz-date:${date}\n${path}`);
  const authorization = `AWS ${server.accessKeyId}:${signed.digest('base64')}`;
  const { body = null, headers = {} } = options;
  const init = { method, body, headers: { ...headers, 'x-amz-date': date, authorization } };
  return fetch(`${server.endpoint}${path}`, init);
}

/** Between the look for a free port and its use another program may take it. */
const ATTEMPTS = 3;

async function startPatiently(): Promise<S3Server> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { server, keeper } = await startS3Server();
      // This process need not wait for it to end.
      keeper.unref();
      for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) (stream as Socket).unref();
      return server;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** Starts a server and waits until it answers. @throws Error with its output when it ends instead */
export async function startS3Server(): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'diffusion-dock-s3-'));
  const [monitorPort, port] = [await freePort(), await freePort()];
  const keys = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test-secret-access-key' };
  const args = [folder, String(monitorPort), String(port), keys.accessKeyId, keys.secretAccessKey];
  const keeper = spawn(join(import.meta.dirname, 'run-ceph.sh'), args);
  await untilReady(keeper);
  return { server: { endpoint: `http://127.0.0.1:${port}`, ...keys }, keeper, folder };
}

async function untilReady(child: ChildProcessWithoutNullStreams): Promise<void> {
  let told = '';
  child.stderr.on('data', (chunk) => (told += String(chunk)));
  const ended = once(child, 'close').then(() => Promise.reject(new Error(`Ceph did not start:\n${told}`)));
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
}
