import { cancelled, messageOf } from '../../../shared/failure';
import { type ModelName, modelKey } from '../../../shared/model-name';
import type { Log } from '../../platform/log';
import type { MachineMemory } from '../../platform/machine-memory';
import type { Ticker } from '../../platform/throttle';
import { MemoryReserve } from './memory-reserve';
import { Resident } from './resident';
import type { ResidentRun, ServerResult } from './resident-run';
import type { PortKeeper } from './server-process';
import { type ServerRequest, serverRequest } from './server-request';

/** What resident mode goes by. */
export interface ResidentSettings {
  /** How long a model stays loaded that nobody uses, in ms; infinite: until something else unloads it. */
  readonly idleMs: number;
  /** The share of the memory, from 0 to 1, that is to stay available: below it idle models are unloaded. */
  readonly memoryReserve: number;
}

export interface ResidentsOptions {
  readonly settings: ResidentSettings;
  /** `<cache root>/.scratch`, where a later start of ours finds servers that outlived us. */
  readonly scratchRoot: string;
  readonly log: Log;
  readonly ticker: Ticker;
  readonly memory: () => Promise<MachineMemory>;
  readonly ports?: PortKeeper | undefined;
}

/** One model that is loaded. */
export interface LoadedModel {
  readonly model: ModelName;
  readonly isGenerating: boolean;
  /** As the run gave it that the model was loaded for. */
  readonly contentKey: string;
}

/** Models that stay loaded between runs, each in an sd-server of its own. */
export class Residents {
  readonly #loaded = new Map<string, Resident>();
  /** The last run of each model, that the next one waits for. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #watch: MemoryReserve;
  #isDisposed = false;

  constructor(private readonly options: ResidentsOptions) {
    this.#watch = new MemoryReserve(options, () => this.#leastUsed());
  }

  /** The models that are loaded. */
  list(): readonly LoadedModel[] {
    return [...this.#loaded.values()].map(({ model, isGenerating, contentKey }) => ({
      model,
      isGenerating,
      contentKey
    }));
  }

  /**
   * Runs one request with the model's server, which is started unless it runs already. Cancelling ends the server:
   * what generates cannot be stopped otherwise. The next run starts it again.
   * @throws Failure as a run of sd-cli does; Declined for what only sd-cli can do
   */
  async run(run: ResidentRun): Promise<ServerResult> {
    const request = await serverRequest(run.arguments);
    return this.#inTurn(run.model, run.signal, async () => {
      const resident = await this.#residentFor(run, request);
      try {
        return await resident.generate(run, request);
      } finally {
        this.#rest(resident);
      }
    });
  }

  /**
   * Unloads a model, at once or when it is done with what it generates.
   * @returns whether it was loaded
   */
  async unload(model: ModelName): Promise<boolean> {
    const resident = this.#loaded.get(modelKey(model));
    if (!resident) return false;
    if (resident.isGenerating) resident.isToBeUnloaded = true;
    else await this.#end(resident, 'asked for');
    return true;
  }

  /** Ends all servers, those that generate too. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#watch.stop();
    await Promise.all([...this.#loaded.values()].map((resident) => this.#end(resident, 'the end')));
  }

  async #residentFor(run: ResidentRun, request: ServerRequest): Promise<Resident> {
    const key = modelKey(run.model);
    const loaded = this.#loaded.get(key);
    if (loaded) {
      // At once, for nobody is to unload it while it is asked.
      loaded.use();
      const reason = await loaded.reasonToEnd(run, request);
      if (reason === undefined && this.#loaded.get(key) === loaded) return loaded;
      await this.#end(loaded, reason ?? 'ended by itself');
    }
    await this.#watch.makeRoom(run.weightBytes);
    const { log, scratchRoot, ports } = this.options;
    const resident = await Resident.start(run, request, { log, scratchRoot, ports });
    if (this.#isDisposed) {
      await resident.end();
      throw cancelled('The generation');
    }
    this.#loaded.set(key, resident);
    void resident.ended.then(() => this.#forget(resident));
    log.info('loaded resident model', { model: run.model, pid: resident.pid, port: resident.port });
    return resident.use();
  }

  /** From now on the server is idle, unless it is gone: one whose run was cancelled or failed may be. */
  #rest(resident: Resident): void {
    if (this.#loaded.get(modelKey(resident.model)) !== resident) return;
    if (resident.isToBeUnloaded) {
      void this.#end(resident, 'asked for');
      return;
    }
    const { settings, ticker } = this.options;
    const { idleMs } = settings;
    resident.rest(
      ticker.now(),
      Number.isFinite(idleMs) ? ticker.after(idleMs, () => void this.#end(resident, 'idle')) : () => undefined
    );
    this.#watch.start();
  }

  /** Of the servers that are idle the one that was not used for longest. */
  #leastUsed(): (() => Promise<void>) | undefined {
    const [resident] = [...this.#loaded.values()]
      .filter(({ isGenerating }) => !isGenerating)
      .toSorted((one, other) => one.usedAt - other.usedAt);
    return resident && (() => this.#end(resident, 'memory is short'));
  }

  async #end(resident: Resident, reason: string): Promise<void> {
    if (!this.#forget(resident)) return;
    this.options.log.info('unloaded resident model', { model: resident.model, reason });
    await resident.end().catch((error: unknown) => {
      this.options.log.warn('failed unloading', { model: resident.model, reason: messageOf(error) });
    });
  }

  /** Whether it was known. */
  #forget(resident: Resident): boolean {
    const key = modelKey(resident.model);
    if (this.#loaded.get(key) !== resident) return false;
    this.#loaded.delete(key);
    resident.use();
    if (this.#loaded.size === 0) this.#watch.stop();
    return true;
  }

  /** One run at a time with each model, in the order in which they came. */
  async #inTurn<T>(model: ModelName, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const key = modelKey(model);
    const before = this.#turns.get(key) ?? Promise.resolve();
    const own = waitFor(before, signal).then(() => {
      if (this.#isDisposed) throw cancelled('The generation');
      return work();
    });
    // Whoever gave up waiting must not let the next one overtake those before.
    const turn = Promise.allSettled([before, own]).then(() => undefined);
    this.#turns.set(key, turn);
    try {
      return await own;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }
}

/** Waits for a promise, or for a signal. @throws Failure('cancelled') */
async function waitFor(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw cancelled('The generation');
  const waiting = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true, signal: waiting.signal });
  });
  await Promise.race([promise, stopped]).finally(() => waiting.abort());
  if (signal.aborted) throw cancelled('The generation');
}
