import { setMaxListeners } from 'node:events';
import { Worker } from 'node:worker_threads';
import { faultOf } from '../../platform/workers/thread-fault';
import type { Body } from '../partial/landing';
import type { HostResolver } from './guarded-connection';
import type { AnswerHead, FromNetwork, NetworkRequest, NetworkSettings, ToNetwork } from './network-messages';
import { RemoteExchange } from './remote-exchange';

export interface NetworkThreadOptions {
  /** The bundled worker, an absolute path. */
  readonly workerScript: string;
  readonly settings: NetworkSettings;
  readonly resolveHost: HostResolver;
}

/** What requests are sent through: a thread, or its share of one. */
export type Network = Pick<NetworkThread, 'send' | 'close'>;

/** Gives what requests of these settings are sent through. */
export type StartNetwork = (options: NetworkThreadOptions) => Network;

/** Hears how many bytes of a request's body were sent so far. */
export type OnSent = (bytes: number) => void;

/** The head of an answer, and its body as it arrives. */
export interface NetworkAnswer {
  readonly head: AnswerHead;
  /** To be read once. A chunk is the reader's until it asks for the next one. */
  readonly body: Body;
  /** Ends the exchange without reading the rest of the body. */
  discard(): void;
}

/**
 * The thread that connections, TLS and HTTP run in, so that the main thread has time for its editor while gigabytes
 * arrive. It is started with the first request, and anew should it have ended. It keeps the process alive only while
 * an exchange is under way.
 */
export class NetworkThread {
  private running: RunningThread | undefined;
  private isClosed = false;

  constructor(private readonly options: NetworkThreadOptions) {}

  /** @throws errors of the connection, and one as soon as the signal aborts */
  async send(request: NetworkRequest, signal: AbortSignal, onSent?: OnSent): Promise<NetworkAnswer> {
    signal.throwIfAborted();
    // Any number of requests may hang on one signal; Node takes more than ten for a mistake and warns.
    setMaxListeners(0, signal);
    if (this.isClosed) throw new Error('the network is closed');
    if (!this.running?.isAlive) this.running = new RunningThread(this.options);
    const exchange = this.running.start(request, signal, onSent);
    return { head: await exchange.head, body: exchange.body, discard: () => exchange.discard() };
  }

  /** Ends all connections, for good. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.running?.end();
  }
}

/** Bodies lie outside of the heap, and a small one keeps collections short. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

class RunningThread {
  private readonly worker: Worker;
  private readonly exchanges = new Map<number, RemoteExchange>();
  private readonly resolveHost: HostResolver;
  private nextId = 1;
  private ended = false;

  constructor({ workerScript, settings, resolveHost }: NetworkThreadOptions) {
    this.resolveHost = resolveHost;
    this.worker = new Worker(workerScript, { workerData: settings, resourceLimits: RESOURCE_LIMITS });
    this.worker.unref();
    this.worker.on('message', (message: FromNetwork) => {
      if (message.type === 'resolve') void this.resolve(message.id, message.host);
      else this.exchanges.get(message.id)?.hear(message);
    });
    const gone = (error: unknown): void => {
      this.ended = true;
      for (const [id, exchange] of this.exchanges) exchange.hear({ type: 'ended', id, fault: faultOf(error) });
    };
    this.worker.on('error', gone);
    this.worker.on('exit', (code) => gone(new Error(`the network thread ended with code ${code}`)));
  }

  get isAlive(): boolean {
    return !this.ended;
  }

  start(request: NetworkRequest, signal: AbortSignal, onSent: OnSent | undefined): RemoteExchange {
    const id = this.nextId;
    this.nextId += 1;
    const onOver = (): void => {
      this.exchanges.delete(id);
      if (this.exchanges.size === 0) this.worker.unref();
    };
    const exchange = new RemoteExchange((order) => this.post({ ...order, id }), signal, { onOver, onSent });
    this.exchanges.set(id, exchange);
    this.worker.ref();
    this.post({ type: 'send', id, request });
    return exchange;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private post(message: ToNetwork): void {
    this.worker.postMessage(message);
  }

  private async resolve(id: number, host: string): Promise<void> {
    const found = await this.resolveHost(host).catch(faultOf);
    this.post({ type: 'resolved', id, found });
  }
}
