import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, Failure } from '../../../shared/failure';
import type { ChildEnd, RunningChild } from '../../platform/child-process';
import { nonce } from '../../platform/process-identity';
import { type EngineEvent, EngineOutput } from '../output';
import { RunRecord } from '../run-record';
import type { Scratch } from '../scratch';
import { startEngine } from '../start';
import { type PortHolder, portHolder, unusedPort } from './port-holder';
import { ServerApi } from './server-api';
import { serverStartFailure } from './server-failure';
import { connectTransport } from './transport';

/** How the port of a server is chosen and looked after; tests bring their own. */
export interface PortKeeper {
  choose(): Promise<number>;
  holderOf(port: number, leader: number): Promise<PortHolder>;
}

const systemPorts: PortKeeper = { choose: unusedPort, holderOf: portHolder };

export interface ServerStart {
  /** Absolute path of sd-server. */
  readonly path: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The server's own, for as long as it runs. */
  readonly scratch: Scratch;
  readonly ports?: PortKeeper | undefined;
  readonly signal: AbortSignal;
}

/** An sd-server that runs and listens. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly api: ServerApi;
  /** Settles when it is gone; never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Hands everything that it prints from now on to one listener, until another one is named. */
  listen(listener: (event: EngineEvent) => void): void;
  /** Whether nobody but this process answers at its port just now. */
  hasItsPort(): Promise<boolean>;
  /** Ends it within two seconds. */
  kill(): Promise<void>;
}

/** How many ports are tried. */
const ATTEMPTS = 3;

/** How long a start may take, in ms: the headers of all weights are read. */
const START_MS = 120_000;

/** How often a page is asked for where the platform does not tell who listens: a second listener gets a share. */
const PAGE_REQUESTS = 8;

/**
 * Starts sd-server for this machine alone, on a port that is proved to be its own.
 * @throws Failure 'engine-missing' and 'engine-unusable' where sd-cli may do better, else 'engine-failed', 'cancelled'
 */
export async function startServer(start: ServerStart): Promise<ServerProcess> {
  const page = await writePage(start.scratch);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const server = await startOnce(start, page);
    if (await server.hasItsPort().catch(() => false)) return server;
    await server.kill();
  }
  throw new Failure('engine-unusable', 'No port was found that sd-server has to itself.', {
    subject: start.path,
    nextStep: 'Look for other programs that take over ports of this machine.'
  });
}

/** A page that only our process serves, with a text that nobody can guess. */
async function writePage({ folder }: Scratch): Promise<{ readonly path: string; readonly text: string }> {
  const page = { path: join(folder, 'page.html'), text: `${nonce()}${nonce()}` };
  await writeFile(page.path, page.text);
  return page;
}

async function startOnce(start: ServerStart, page: { path: string; text: string }): Promise<ServerProcess> {
  const { ports = systemPorts, scratch, signal } = start;
  if (signal.aborted) throw cancelled('Loading the model');
  const port = await ports.choose();
  const record = new RunRecord('sd-server');
  let listener = (event: EngineEvent): void => record.observe(event);
  const ready = new Promise<'ready'>((resolve) => {
    listener = (event) => {
      record.observe(event);
      if (event.type === 'log' && event.text.startsWith('listening on: ')) resolve('ready');
    };
  });
  const output = new EngineOutput((event) => listener(event));
  const child = await startEngine(
    {
      file: start.path,
      arguments: [
        ...start.arguments,
        '--listen-ip',
        '127.0.0.1',
        '--listen-port',
        String(port),
        '--serve-html-path',
        page.path
      ],
      environment: start.environment,
      directory: scratch.folder,
      onOutput: (chunk) => output.writeOutput(chunk),
      onError: (chunk) => output.writeError(chunk)
    },
    'sd-server'
  );
  const api = new ServerApi(connectTransport({ address: new URL(`http://127.0.0.1:${port}`) }));
  const ended = child.ended.finally(() => {
    output.end();
    api.close();
  });
  try {
    await scratch.recordChild(child.pid);
    await untilReady(child, ready, record, signal);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return {
    pid: child.pid,
    port,
    api,
    ended,
    listen: (next) => {
      listener = next;
    },
    hasItsPort: async () => {
      const holder = await ports.holderOf(port, child.pid);
      return holder === 'unknown' ? showsPage(port, page.text) : holder === 'ours';
    },
    kill: () => child.kill()
  };
}

async function untilReady(
  child: RunningChild,
  ready: Promise<'ready'>,
  record: RunRecord,
  signal: AbortSignal
): Promise<void> {
  const waiting = new AbortController();
  const stopped = AbortSignal.any([signal, waiting.signal]);
  const late = delay(START_MS, 'late' as const, { signal: stopped }).catch(() => 'cancelled' as const);
  const outcome = await Promise.race([ready, child.ended, late]);
  waiting.abort();
  if (outcome === 'ready') return;
  if (outcome === 'cancelled') throw cancelled('Loading the model');
  if (outcome !== 'late') throw serverStartFailure(record, outcome);
  throw new Failure('engine-unusable', 'sd-server did not become ready in time.', {
    nextStep: 'Switch resident mode off to generate with sd-cli.'
  });
}

/** Each request comes by a connection of its own, so that a second listener would get some of them. */
async function showsPage(port: number, text: string): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  for (let request = 0; request < PAGE_REQUESTS; request += 1) {
    const api = new ServerApi(connectTransport({ address: new URL(`http://127.0.0.1:${port}`) }));
    try {
      if ((await api.page(signal)) !== text) return false;
    } finally {
      api.close();
    }
  }
  return true;
}
