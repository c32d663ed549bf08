import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { modelFromManifest } from '../../server/operations/models/register-model';
import { pullModel } from '../../server/operations/pull/pull-model';
import { createServices, type ServiceOptions, type Services } from '../../server/operations/services';
import type { Clock } from '../../server/platform/clock';
import type { PullEvent } from '../../shared/job-events';
import { rememberAskedEngine } from './asked-engines';
import { sharedPool, WORKER_SCRIPT } from './built-worker';
import { sharedNetwork } from './shared-network';
import { temporaryFolder } from './temporary-folder';

/** A clock that never waits and remembers how long it was asked to. */
export interface PatientClock extends Clock {
  readonly waits: readonly number[];
}

/** Services over a cache root of their own, removed when the test ends. */
export interface TestServices extends Services {
  readonly clock: PatientClock;
  readonly logged: readonly string[];
}

/** Composes the real parts on a fresh cache root, or on a given one. */
export async function testServices(options: Partial<ServiceOptions> = {}): Promise<TestServices> {
  const waits: number[] = [];
  const logged: string[] = [];
  const log = (text: string, fields = {}): void => void logged.push(`${text} ${JSON.stringify(fields)}`);
  const clock: PatientClock = {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      waits.push(milliseconds);
      await new Promise((done) => setImmediate(done));
    },
    waits
  };
  const root = await temporaryFolder();
  const services = createServices({
    root,
    policy: { allowInsecureHttp: false, allowPrivateHosts: false },
    isTrusted: () => true,
    workerScript: WORKER_SCRIPT,
    pool: sharedPool(),
    startNetwork: sharedNetwork,
    clock,
    log: { info: log, warn: log, error: log },
    ...options,
    // The cache of whoever runs the tests is none of theirs.
    environment: { HF_HUB_CACHE: join(root, 'no-hub-cache'), ...options.environment }
  });
  onTestFinished(() => services.dispose());
  if (options.sdCliPath !== undefined) await rememberAskedEngine(services.layout, options.sdCliPath);
  return { ...services, clock, logged };
}

/** What a manifest in a test says of one file. */
export interface TestFile {
  readonly url: string;
  readonly filename?: string;
  readonly role?: string;
  readonly sha256?: string;
  readonly size_bytes?: number;
  readonly pieces?: { readonly size: number; readonly sha256: readonly string[] };
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
    credentialAlias,
    onEvent
  }: { signal?: AbortSignal; credentialAlias?: string; onEvent?: (event: PullEvent) => void } = {}
): Promise<{ events: readonly PullEvent[]; folder: string }> {
  const events: PullEvent[] = [];
  const model = await modelFromManifest(path);
  await pullModel(services, model, {
    signal,
    credentialAlias,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    }
  });
  return { events, folder: services.layout.model(model.name) };
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
