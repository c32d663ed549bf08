import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { pullModel } from '../../server/operations/pull-model';
import { registerManifest } from '../../server/operations/register-model';
import { createServices, type ServiceOptions, type Services } from '../../server/operations/services';
import type { Clock } from '../../server/platform/clock';
import type { PullEvent } from '../../shared/job-events';

/** The worker as it was built; `npm test` builds it first. */
export const WORKER_SCRIPT = resolve(import.meta.dirname, '../../dist/worker.js');

/** A clock that never waits and remembers how long it was asked to. */
export interface PatientClock extends Clock {
  readonly waits: readonly number[];
}

/** Services over a cache root of their own, removed when the test ends. */
export interface TestServices extends Services {
  readonly clock: PatientClock;
  readonly logged: readonly string[];
}

/** A fresh folder that is removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Composes the real parts on a fresh cache root, or on a given one. */
export async function testServices(options: Partial<ServiceOptions> = {}): Promise<TestServices> {
  const waits: number[] = [];
  const logged: string[] = [];
  const log = (text: string, fields = {}): void => void logged.push(`${text} ${JSON.stringify(fields)}`);
  const clock: PatientClock = {
    now: () => Date.now(),
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      waits.push(milliseconds);
      await new Promise((done) => setImmediate(done));
    },
    waits
  };
  const services = createServices({
    root: await temporaryFolder(),
    environment: {},
    policy: { allowInsecureHttp: false },
    isTrusted: () => true,
    workerScript: WORKER_SCRIPT,
    clock,
    log: { info: log, warn: log, error: log },
    ...options
  });
  onTestFinished(() => services.dispose());
  return { ...services, clock, logged };
}

/** What a manifest in a test says of one file. */
export interface TestFile {
  readonly url: string;
  readonly filename?: string;
  readonly role?: string;
  readonly sha256?: string;
  readonly size_bytes?: number;
}

/** Writes a source manifest into a fresh folder and gives its path. */
export async function writeManifest(files: readonly TestFile[], fields: Record<string, unknown> = {}): Promise<string> {
  const path = join(await temporaryFolder(), 'manifest.json');
  const entries = files.map((file) => ({ role: 'model', filename: 'weights.gguf', ...file }));
  await writeFile(path, JSON.stringify({ name: 'test-model', ...fields, files: entries }, null, 2));
  return path;
}

/** Registers and pulls a manifest; gives the events and the bundle's folder. */
export async function pullManifest(
  services: Services,
  path: string,
  {
    signal = new AbortController().signal,
    onEvent
  }: { signal?: AbortSignal; onEvent?: (event: PullEvent) => void } = {}
): Promise<{ events: readonly PullEvent[]; folder: string }> {
  const events: PullEvent[] = [];
  const model = await registerManifest(services, path);
  await pullModel(services, model, {
    signal,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    }
  });
  return { events, folder: services.layout.model(model.name) };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes that look random and are the same at every run. */
export function sampleBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** Everything that lies in the cache root apart from registry and claims, as relative paths. */
export async function cacheEntries({ root }: Services): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith('registry'))
    .toSorted();
}
