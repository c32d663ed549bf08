import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FileStore } from '../../../server/artifacts/file-store/file-store';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { readBatchFile } from '../../../server/operations/batch/batch-file';
import type { BatchEvent, RunBatchOptions } from '../../../server/operations/batch/batch-options';
import { runBatchIn } from '../../../server/operations/batch/run-batch';
import type { Services } from '../../../server/operations/services';
import type { BatchParams, BatchResult } from '../../../shared/batch';
import { type FastEngine, fastEngine } from '../fast-engine';
import { temporaryFolder } from '../temporary-folder';
import { pullManifest, type TestServices, testServices } from '../test-services';

/** What makes the smallest image of the stand-in. */
export const SMALL = { width: 64, height: 64, steps: 1 };

/** A machine: a cache of its own with the sample model, and an engine. */
export interface Machine {
  readonly services: TestServices;
  readonly engine: FastEngine;
}

/** @param manifest of the sample model; absent: the machine has no model */
export async function machine(manifest?: string): Promise<Machine> {
  const engine = await fastEngine(await temporaryFolder());
  const services = await testServices({ sdCliPath: engine.path });
  if (manifest !== undefined) await pullManifest(services, manifest);
  return { services, engine };
}

/** A batch file in a folder of its own. @returns its path */
export async function batchFile(content: unknown, name = 'job.json'): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** A store in a fresh folder, or in a given one. */
export async function folderStore({ hasher }: Pick<Services, 'hasher'>, folder?: string): Promise<FileStore> {
  return new FileStore(folder ?? (await temporaryFolder()), hasher);
}

export interface RunParts
  extends Partial<Pick<BatchParams, 'resume' | 'restart' | 'publish'>>,
    Partial<RunBatchOptions> {
  readonly file: string;
  readonly store: ObjectStore;
}

/** Runs a batch on a machine. */
export async function run(
  { services }: Pick<Machine, 'services'>,
  { file, store, resume = false, restart = false, publish = false, ...options }: RunParts
): Promise<BatchResult & { readonly events: readonly BatchEvent[] }> {
  const events: BatchEvent[] = [];
  const result = await runBatchIn(
    {
      services,
      store,
      file: await readBatchFile(file),
      options: {
        signal: new AbortController().signal,
        ...options,
        onEvent: (event) => {
          events.push(event);
          options.onEvent?.(event);
        }
      }
    },
    { file, store: store.label, resume, restart, publish }
  );
  return { ...result, events };
}

/** Ids of the images of a result, each of which is in the gallery as it is named. */
export async function imagesOf({ services }: Pick<Machine, 'services'>, { images }: BatchResult): Promise<string[]> {
  for (const { id, path } of images) {
    const stored = await services.images.get(id);
    expect(stored.path).toBe(path);
    expect(await readFile(path)).toEqual(Buffer.from(await services.images.read(id)));
  }
  return images.map(({ id }) => id);
}

/** Every file that lies below a folder, but what is only waiting to become one. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
