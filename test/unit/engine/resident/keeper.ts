import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { engineArguments } from '../../../../server/engine/arguments/engine-arguments';
import type { EngineFile } from '../../../../server/engine/arguments/engine-file';
import { engineEnvironment } from '../../../../server/engine/environment';
import type { ResidentRun } from '../../../../server/engine/resident/resident-run';
import { Residents, type ResidentsOptions } from '../../../../server/engine/resident/residents';
import { examinePngFile } from '../../../../server/gallery/png/png-file';
import type { Ticker } from '../../../../server/platform/throttle';
import type { GenerationRequest } from '../../../../shared/generation';
import { type ModelName, parseModelName } from '../../../../shared/model-name';

/** The executable that behaves as recordings of sd-server show. */
export const SERVER_STAND_IN = join(__dirname, '../../../support/stand-in/sd-server.mjs');

/** Time that passes when a test says so. */
export class ManualTicker implements Ticker {
  #now = 0;
  #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many callbacks are still to come. */
  get pending(): number {
    return this.#timers.size;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    for (const timer of [...this.#timers].filter(({ at }) => at <= this.#now)) {
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

/** A minute of a manual ticker. */
export const MINUTE_MS = 60_000;

/** Residents that are ended when the test ends, what they logged, and the folder of their scratch. */
export interface Keeper {
  readonly residents: Residents;
  readonly ticker: ManualTicker;
  readonly root: string;
  readonly logged: readonly string[];
  /** Process ids of the servers that are noted in the scratch folders. */
  readonly servers: () => Promise<number[]>;
}

/** @param home a folder that outlives the test */
export async function keeper(home: string, options: Partial<ResidentsOptions> = {}): Promise<Keeper> {
  const root = await mkdtemp(join(home, 'scratch-'));
  const ticker = new ManualTicker();
  const logged: string[] = [];
  const log = (text: string, fields = {}): void => void logged.push(`${text} ${JSON.stringify(fields)}`);
  const residents = new Residents({
    settings: { idleMs: 10 * MINUTE_MS, memoryReserve: 0 },
    scratchRoot: root,
    log: { info: log, warn: log, error: log },
    ticker,
    memory: () => Promise.resolve({ total: 100 }),
    ...options
  });
  onTestFinished(() => residents.dispose());
  const servers = async (): Promise<number[]> => {
    const records = await Promise.all(
      (await readdir(root)).map((name) => readFile(join(root, name, 'record.json'), 'utf8'))
    );
    return records.map((text) => (JSON.parse(text) as { child: { pid: number } }).child.pid);
  };
  return { residents, ticker, root, logged, servers };
}

/** A name that is known to be good. */
export function modelName(text: string): ModelName {
  const name = parseModelName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

/** What a test wants of a run. */
export interface RunWishes extends Partial<Omit<ResidentRun, 'environment' | 'model'>> {
  readonly model?: string;
  readonly request?: Partial<GenerationRequest>;
  readonly options?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A run of a sample model: 64 by 64 pixels in three steps with seed 7. */
export async function residentRun(
  home: string,
  files: readonly EngineFile[],
  wishes: RunWishes = {}
): Promise<ResidentRun> {
  const { model = 'tiny-sd1', request = {}, options = [], environment = {}, ...others } = wishes;
  const folder = await mkdtemp(join(home, 'run-'));
  const emptyFolder = join(folder, 'empty');
  await mkdir(emptyFolder);
  const images = request.images ?? 1;
  const command = engineArguments({
    files,
    request: { prompt: 'a lighthouse', width: 64, height: 64, steps: 3, cfg_scale: 1, ...request },
    inputs: {},
    abilities: { options: new Set(), samplingMethods: new Set(), schedulers: new Set() },
    seed: 7,
    threads: 1,
    output: 'image.png',
    loras: new Set(),
    loraFolder: emptyFolder
  });
  return {
    serverPath: SERVER_STAND_IN,
    model: modelName(model),
    contentKey: 'content of the samples',
    weightBytes: 20_000_000,
    arguments: [...command.options, ...options],
    environment: { ...engineEnvironment(process.env, process.platform), SD_CLI_STAND_IN_SPEED: '0', ...environment },
    images,
    folder,
    onProgress: () => undefined,
    readImage: examinePngFile,
    signal: new AbortController().signal,
    ...others
  };
}
