import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cancelled, Failure, messageOf } from '../../../shared/failure';
import type { ModelName } from '../../../shared/model-name';
import type { Log } from '../../platform/log';
import { linkInto } from '../linked-folder';
import type { EngineEvent } from '../output';
import { ProgressReporter } from '../progress';
import { checkedResult } from '../result-check';
import { RunRecord } from '../run-record';
import { type Scratch, withScratch } from '../scratch';
import { declineReason } from './abilities';
import { Declined } from './declined';
import type { ResidentRun, ServerResult } from './resident-run';
import type { ServerCapabilities } from './server-api';
import { serverEndFailure, serverJobFailure } from './server-failure';
import { runJob } from './server-job';
import { type PortKeeper, type ServerProcess, startServer } from './server-process';
import { modelFileNames, type ServerRequest } from './server-request';

/** What a server gets from those who keep it. */
export interface ResidentParts {
  readonly log: Log;
  readonly scratchRoot: string;
  readonly ports: PortKeeper | undefined;
}

/** The line after which an answer is there in no time. */
const NEARLY_DONE = /^generate_image completed/;

/** One model that is loaded, in a server of its own. */
export class Resident {
  isGenerating = false;
  /** Whether it is to end when it is done with what it generates. */
  isToBeUnloaded = false;
  /** When it was used last, by the clock of those who keep it. */
  usedAt = 0;
  #cancelIdle: () => void = () => undefined;
  /** The files of the LoRAs that the server was shown, by the names that it knows them under. */
  readonly #loras = new Map<string, string>();

  private constructor(
    readonly model: ModelName,
    readonly contentKey: string,
    private readonly key: string,
    private readonly server: ServerProcess,
    private readonly capabilities: ServerCapabilities,
    /** Absolute path of the folder that the server looks for LoRAs in. */
    private readonly loraFolder: string,
    /** Settles when the process is gone and its folder removed. */
    private readonly life: Promise<void>
  ) {}

  /**
   * Starts a server for a model.
   * @throws Failure as a run of sd-cli does
   */
  static async start(run: ResidentRun, request: ServerRequest, parts: ResidentParts): Promise<Resident> {
    const { log, scratchRoot, ports } = parts;
    const { server, life, loraFolder } = await startWithScratch(scratchRoot, log, (scratch) =>
      startServer({
        path: run.serverPath,
        arguments: [...request.server, ...request.volatile, '--lora-model-dir', loraFolderIn(scratch)],
        environment: run.environment,
        scratch,
        ports,
        signal: run.signal
      })
    );
    try {
      const capabilities = await server.api.capabilities(run.signal);
      if (!modelFileNames(request.server).has(capabilities.model.name)) throw foreignAnswer();
      return new Resident(run.model, run.contentKey, keyOf(run, request), server, capabilities, loraFolder, life);
    } catch (thrown) {
      await server.kill();
      if (run.signal.aborted) throw cancelled('Loading the model');
      const sentence = thrown instanceof Failure ? thrown.message : `It stopped answering: ${messageOf(thrown)}.`;
      throw new Failure('engine-unusable', sentence, { cause: thrown });
    }
  }

  get pid(): number {
    return this.server.pid;
  }

  get port(): number {
    return this.server.port;
  }

  /** Settles when the server is gone, whoever ended it; never rejects. */
  get ended(): Promise<unknown> {
    return this.server.ended;
  }

  /** Why a run needs another server than this one; undefined: it can have this one. */
  async reasonToEnd(run: ResidentRun, request: ServerRequest): Promise<string | undefined> {
    if (this.key !== keyOf(run, request)) return 'another model or other settings';
    const isOther = (path: string): boolean => (this.#loras.get(basename(path)) ?? path) !== path;
    if (request.loras.some(isOther)) return 'another LoRA of the same name';
    return (await this.server.hasItsPort().catch(() => false)) ? undefined : 'its port is shared';
  }

  /** From now on it is not idle. */
  use(): this {
    this.#cancelIdle();
    this.isGenerating = true;
    return this;
  }

  /** From now on it is idle. @param cancelIdle takes back what was planned for a server that stays idle */
  rest(now: number, cancelIdle: () => void): void {
    this.isGenerating = false;
    this.usedAt = now;
    this.#cancelIdle = cancelIdle;
  }

  /** @throws Failure as a run of sd-cli does; Declined */
  async generate(run: ResidentRun, { body, loras }: ServerRequest): Promise<ServerResult> {
    const { model, images, requested, hires, onProgress, folder, readImage } = run;
    const reason = declineReason(this.capabilities, body, images);
    if (reason !== undefined) throw new Declined(reason);
    const record = new RunRecord('sd-server');
    const progress = new ProgressReporter({ model, images, hires, onProgress });
    const { server } = this;
    const gone = new AbortController();
    void server.ended.then(() => gone.abort());
    try {
      const news = this.#watchOutput(record, progress);
      await this.#show(loras);
      const result = await runJob(
        server.api,
        { body, images, folder, readImage },
        {
          news: () => news,
          failure: (why) => serverJobFailure(record, why),
          signal: AbortSignal.any([run.signal, gone.signal])
        }
      );
      if (!(await server.hasItsPort())) throw foreignAnswer();
      progress.flush();
      const goal = { kind: 'images', count: images } as const;
      return { ...checkedResult(result.found, { goal, record, requested }), version: result.version };
    } catch (thrown) {
      throw await this.#failure(thrown, run.signal, record);
    } finally {
      server.listen(() => undefined);
      progress.stop();
    }
  }

  /** Ends the server and removes its folder. */
  async end(): Promise<void> {
    this.#cancelIdle();
    await this.server.kill();
    await this.life;
  }

  /** The server looks for LoRAs with each request. Runs have folders of their own, which are gone when they are. */
  async #show(loras: readonly string[]): Promise<void> {
    for (const path of loras) {
      if (this.#loras.has(basename(path))) continue;
      await linkInto(this.loraFolder, path);
      this.#loras.set(basename(path), path);
    }
  }

  /** @returns what resolves when the answer is nearly there */
  #watchOutput(record: RunRecord, progress: ProgressReporter): Promise<void> {
    return new Promise((resolve) => {
      this.server.listen((event: EngineEvent) => {
        record.observe(event);
        progress.observe(event);
        if (event.type === 'log' && NEARLY_DONE.test(event.text)) resolve();
      });
    });
  }

  /** What a run failed with; a server that may still be busy with it, or is not to be trusted, is ended. */
  async #failure(thrown: unknown, signal: AbortSignal, record: RunRecord): Promise<unknown> {
    const isAnswer = thrown instanceof Failure && thrown.code === 'engine-failed';
    if (isAnswer && !signal.aborted) return thrown;
    await this.end();
    if (signal.aborted) return cancelled('The generation');
    if (thrown instanceof Failure) return thrown;
    // The connection breaks before the end is reported; a server that had ended was not ended by us.
    const end = await this.server.ended;
    if (end.signal !== 'SIGTERM') return serverEndFailure(record, end);
    return new Failure('engine-failed', `sd-server stopped answering: ${messageOf(thrown)}.`, {
      nextStep: 'Try again.',
      cause: thrown
    });
  }
}

/** A folder of the server's own, from before it starts until it is gone. */
async function startWithScratch(
  root: string,
  log: Log,
  start: (scratch: Scratch) => Promise<ServerProcess>
): Promise<{ readonly server: ServerProcess; readonly life: Promise<void>; readonly loraFolder: string }> {
  return new Promise((resolve, reject) => {
    const life = withScratch(
      root,
      (problem) => log.warn(problem),
      async (scratch) => {
        const loraFolder = loraFolderIn(scratch);
        await mkdir(loraFolder);
        const server = await start(scratch);
        resolve({ server, life, loraFolder });
        await server.ended;
      }
    );
    life.catch(reject);
  });
}

function loraFolderIn({ folder }: Scratch): string {
  return join(folder, 'loras');
}

/** Tells servers apart that cannot stand in for each other. */
function keyOf({ serverPath, contentKey }: ResidentRun, { server }: ServerRequest): string {
  return JSON.stringify([serverPath, contentKey, server]);
}

function foreignAnswer(): Failure {
  return new Failure('bad-response', 'Another program answered in the place of sd-server.', {
    nextStep: 'Try again: the server gets another port. Look for other programs that take over ports of this machine.'
  });
}
