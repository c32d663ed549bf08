import { readdirSync, readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bootId } from '../../../server/platform/process-identity';
import { readJournal } from '../../../server/pull/partial/journal';
import type { TransferTuning } from '../../../server/pull/transfer-tuning';
import { Failure } from '../../../shared/failure';
import type { PullEvent } from '../../../shared/job-events';
import { USUAL_LIMITS } from '../../../shared/transfer-limits';
import { sharedPoolStarted } from '../../support/built-worker';
import { type CountedNetwork, countedNetwork } from '../../support/counted-network';
import { type Fault, type FaultServer, startFaultServer } from '../../support/fault-server';
import type { RawRequest } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import {
  cacheEntries,
  pullManifest,
  type TestServices,
  testServices,
  writeManifest
} from '../../support/test-services';

const MIB = 1024 * 1024;

/** What every server of the matrix serves: enough that fetching it twice shows. */
export const CONTENT = sampleBytes(2 * MIB + 4321);
export const DIGEST = sha256(CONTENT);

/** What lies on disk before a resumed pull, in bytes. */
const HELD_BYTES = 700_001;

const PIECE_BYTES = MIB / 8;

/** Makes the small content one that is shared at once by as many connections as are allowed, up to four. */
export const SHARED_FROM_THE_START = { firstConnections: 4, smallestSharedBytes: 1, pieceBytes: PIECE_BYTES };

/** What may come in vain for each connection: what is gathered of a body that is given up, when others join in. */
export const WASTE_BYTES = MIB / 2;

/** A failure as the user sees it: code, sentence, subject, next step; the host is called HOST. */
export type FailureText = readonly [code: string, sentence: string, subject: string, nextStep: string];

/** One promise: a fault, and how a pull from that server ends. */
export interface FaultCase {
  /** The id of the abuse case and what the server does. */
  readonly title: string;
  readonly fault: Fault;
  /** A certain byte: the first, a middle and the last one are tried. A part: an answer to a request for a range. */
  readonly hits: 'a byte' | 'every answer' | 'every part';
  readonly spares?: (request: RawRequest) => boolean;
  /** How many answers are hit; all when it is left out. */
  readonly times?: number | undefined;
  /** Whether it matters that something is there already; both are tried when it is left out. */
  readonly begins?: 'fresh' | 'resumed';
  /** How many connections it takes; both are tried when it is left out. */
  readonly connections?: 1 | 4;
  readonly freeBytes?: () => Promise<number>;
  readonly declared?: { readonly sha256?: string; readonly size_bytes?: number };
  readonly etag?: string | undefined;
  readonly tuning?: Partial<TransferTuning>;
  readonly ends: 'exact' | FailureText;
  /** How often the content may be fetched, what was there already included; once when it is left out. */
  readonly fetches?: number;
  /** Whether it is in the end asked for as a whole. */
  readonly beginsAnew?: boolean;
  /**
   * What a failure leaves, where it is not what was there before and what came until a certain byte was hit: `nothing`
   * when what came is void, `some` when bytes arrive although every answer is hit.
   */
  readonly leaves?: 'nothing' | 'some';
  /** Whether no server can mend it, because the manifest is wrong. */
  readonly lasts?: boolean;
}

/** One way to try a case. */
export interface Attempt {
  readonly begins: 'fresh' | 'resumed';
  readonly connections: 1 | 4;
  readonly place: 'first' | 'middle' | 'last' | undefined;
}

/** Tries every case in every way. */
export function describeCases(cases: readonly FaultCase[]): void {
  describe.each(cases.map((faultCase) => [faultCase.title, faultCase] as const))('a server that %s', (_, faultCase) => {
    it.each(attempts(faultCase))('%s', (_name, attempt) => tryCase(faultCase, attempt));
  });
}

/** Every way to try a case, named. */
function attempts(faultCase: FaultCase): [string, Attempt][] {
  const { begins, connections, hits } = faultCase;
  const places = hits === 'a byte' ? (['first', 'middle', 'last'] as const) : [undefined];
  const all = (begins ? [begins] : (['fresh', 'resumed'] as const)).flatMap((start) =>
    (connections ? [connections] : ([1, 4] as const)).flatMap((count) =>
      places.map((place): Attempt => ({ begins: start, connections: count, place }))
    )
  );
  return all
    .filter((attempt) => isWorthTrying(faultCase, attempt))
    .map((attempt) => [
      [attempt.place && `${attempt.place} byte`, attempt.begins, `${attempt.connections} connections`]
        .filter(Boolean)
        .join(', '),
      attempt
    ]);
}

/** Leaves out what cannot happen, and what only happens again. */
function isWorthTrying({ hits, begins: only }: FaultCase, { begins, connections, place }: Attempt): boolean {
  switch (hits) {
    case 'a byte':
      // A body that goes on is hit in its middle; what its ends are to it, a fresh one shows.
      return begins === 'fresh' || only === 'resumed' || place === 'middle';
    case 'every part':
      // A single connection that begins with nothing asks for all of it.
      return begins === 'resumed' || connections > 1;
    case 'every answer':
      // It shows in the first answer, before there are several connections.
      return begins === 'fresh' ? connections === 1 : connections > 1;
  }
}

/** Pulls from a server that commits the fault, and holds it against what has to be true of every pull. */
async function tryCase(faultCase: FaultCase, attempt: Attempt): Promise<void> {
  await sharedPoolStarted();
  const openBefore = openFiles();
  const { begins, connections } = attempt;
  const server = await startFaultServer({ content: CONTENT, etag: '"v1"', ...faultCase, ...hit(faultCase, attempt) });
  onTestFinished(() => server.close());
  const run = await prepare(server, faultCase, connections);
  if (begins === 'resumed') {
    server.hold(HELD_BYTES);
    expect((await pullOnce(run)).ends).toHaveProperty('0', 'network');
    server.begin();
  }
  const { ends, fetchedBytes } = await pullOnce(run);
  expect(ends).toEqual(faultCase.ends);
  expect(server.hits(), 'answers that were hit').toBeGreaterThan(0);

  const held = begins === 'resumed' ? HELD_BYTES : 0;
  const { fetches = 1, leaves, lasts = false, hits } = faultCase;
  if (ends === 'exact') {
    const missing = CONTENT.length * fetches - held;
    expect(fetchedBytes).toBeLessThanOrEqual(missing + connections * WASTE_BYTES);
    if (faultCase.beginsAnew) expect(server.requests.at(-1)?.headers).not.toHaveProperty('range');
  } else {
    const isReached = begins === 'resumed' || (hits === 'a byte' && attempt.place !== 'first');
    await expectNothingButPartial(run.services, leaves === undefined ? isReached : leaves === 'some');
    server.mend();
    if (!lasts) expect((await pullOnce(run)).ends).toBe('exact');
  }
  await run.services.dispose();
  await server.close();
  // The network thread hears later than the server's own thread that a connection is over.
  await vi.waitFor(() => {
    const opened = openFiles().filter((file) => !openBefore.includes(file));
    expect(opened, 'open files and sockets').toEqual([]);
  }, 10_000);
}

/** The first byte that is missing, one in the middle, or the last. */
function hit({ hits, times }: FaultCase, { begins, connections, place }: Attempt) {
  if (hits === 'every part') return { spares: ({ headers }: RawRequest) => headers['range'] === undefined };
  if (hits === 'every answer') return {};
  const first = begins === 'resumed' ? HELD_BYTES : 0;
  const last = CONTENT.length - 1;
  const at = place === 'first' ? first : place === 'last' ? last : Math.floor((first + last) / 2);
  return { at, ...(connections > 1 && { pieceBytes: PIECE_BYTES }), times };
}

interface PreparedRun {
  readonly server: FaultServer;
  readonly services: TestServices;
  readonly manifest: string;
  readonly network: CountedNetwork;
}

/** Services with a cache of their own, and a manifest whose address and login carry secrets. */
async function prepare(
  server: FaultServer,
  { declared = { sha256: DIGEST }, tuning, freeBytes }: FaultCase,
  connections: number
): Promise<PreparedRun> {
  const network = countedNetwork();
  const services = await testServices({
    workerScript: network.workerScript,
    environment: { DIFFUSION_DOCK_TOKEN_MY_HUB: 'CANARY-TOKEN', DIFFUSION_DOCK_TOKEN_MY_HUB_ORIGINS: server.origin },
    ...(freeBytes && { freeBytes }),
    limits: { ...USUAL_LIMITS, connections },
    tuning: { ...SHARED_FROM_THE_START, ...tuning }
  });
  const url = `${server.origin}/weights.gguf?download=CANARY-QUERY`;
  const manifest = await writeManifest([{ url, ...declared }], { credential_alias: 'my-hub' });
  return { server, services, manifest, network };
}

/** One pull, with what is true of every pull however it ends. */
async function pullOnce({ server, services, manifest, network }: PreparedRun) {
  const logged = services.logged.length;
  const events: PullEvent[] = [];
  const before = network.receivedBytes();
  const result = await pullManifest(services, manifest, { onEvent: (event) => events.push(event) }).then(
    () => 'exact' as const,
    (error: unknown) => error
  );
  const fetchedBytes = network.receivedBytes() - before;
  const lines = services.logged.slice(logged);
  const traces = [...lines, JSON.stringify(events), JSON.stringify(result), inspectText(result)].join('\n');
  expect(traces).not.toContain('CANARY');
  expect(lines.filter((line) => line.startsWith('starting ')).length, 'transfers that start').toBe(
    lines.filter((line) => /^(done|failed) /.test(line)).length
  );
  expect(events.at(-1)?.type).toBe(result === 'exact' ? 'completed' : 'failed');
  if (result === 'exact') await expectInstalled(services);
  return { ends: result === 'exact' ? result : failureText(result, server.origin, services.root), fetchedBytes };
}

async function expectInstalled(services: TestServices): Promise<void> {
  const entries = (await cacheEntries(services)).filter((path) => !path.startsWith('proofs'));
  expect(entries.map((path) => path.replace(/[0-9a-f]{64}/, 'DIGEST'))).toEqual([
    expect.stringMatching(/^blobs\/sha256\/[0-9a-f]{2}\/DIGEST$/),
    'models/test-model/manifest.json',
    'models/test-model/weights.gguf'
  ]);
  expect(sha256(await readFile(join(services.root, 'models/test-model/weights.gguf')))).toBe(DIGEST);
}

/** Nothing is left, or one partial whose journal claims only bytes that are right. */
async function expectNothingButPartial(services: TestServices, keeps: boolean): Promise<void> {
  const folders = await readdir(services.layout.partials);
  const entries = (await cacheEntries(services)).map((path) => path.replace(/^\.partial\/[^/]+/, '.partial/x'));
  expect(entries).toEqual(keeps ? ['.partial/x/data', '.partial/x/journal'] : []);
  for (const folder of keeps ? folders : []) {
    const path = join(services.layout.partials, folder);
    const { ranges } = readJournal(await readFile(join(path, 'journal'), 'utf8'), await bootId());
    const data = await readFile(join(path, 'data'));
    expect(ranges.length).toBeGreaterThan(0);
    for (const { start, end } of ranges)
      expect(data.subarray(start, end).equals(CONTENT.subarray(start, end))).toBe(true);
  }
}

/** A failure as the user sees it, without what differs from run to run. @throws what is no failure */
export function failureText(error: unknown, origin: string, root = 'CACHE'): FailureText {
  if (!(error instanceof Failure)) throw error;
  const plain = (text = ''): string =>
    text
      .replaceAll(new URL(origin).host, 'HOST')
      .replaceAll(root, 'CACHE')
      .replaceAll(/[0-9a-f]{64}/g, 'DIGEST');
  return [error.code, plain(error.message), plain(error.subject), plain(error.nextStep)];
}

function inspectText(error: unknown): string {
  return error instanceof Error ? `${error.stack ?? ''}\n${inspectText(error.cause)}` : String(error);
}

/** The files and sockets that this process has open, each with its number; threads have pipes besides, and devices. */
function openFiles(): string[] {
  const open = readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      return `${number} ${readlinkSync(`/proc/self/fd/${number}`)}`;
    } catch {
      // It was what the folder was read by.
      return [];
    }
  });
  return open.filter((file) => /^\d+ (?:socket:|\/(?!dev\/null))/.test(file));
}
