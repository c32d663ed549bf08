import type { LookupAddress } from 'node:dns';
import { setFlagsFromString } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import { errorOf, faultOf, type ThreadFault } from '../../platform/workers/thread-fault';
import { FileFault, type Landing } from '../partial/landing';
import { reachOf } from './address-policy';
import { Dispatchers } from './dispatchers';
import { ChunkBuffers, type GatheredBody } from './gathered-body';
import { exchange } from './http-exchange';
import type { FromNetwork, NetworkRequest, NetworkSettings, ToNetwork } from './network-messages';

/** Serves the main thread inside the network thread: sends its requests and hands it what arrives, chunk by chunk. */
export function serveNetwork(port: MessagePort, settings: NetworkSettings): void {
  leaveParserAsItIs();
  const post = (message: FromNetwork): void => port.postMessage(message);
  const names = new RemoteNames(post);
  const tools: ExchangeTools = {
    dispatchers: new Dispatchers({ ...settings, resolveHost: (host) => names.resolve(host) }),
    limits: settings.limits,
    buffers: new ChunkBuffers(),
    post
  };
  const exchanges = new Map<number, ServedExchange>();
  port.on('message', (message: ToNetwork) => {
    const { id } = message;
    switch (message.type) {
      case 'send': {
        const served = new ServedExchange(id, tools);
        exchanges.set(id, served);
        void served.run(message.request);
        return;
      }
      case 'next':
        exchanges.get(id)?.next();
        return;
      case 'land':
        exchanges.get(id)?.land(message.landing);
        return;
      case 'halt':
        exchanges.get(id)?.halt();
        return;
      case 'cancel':
        exchanges.get(id)?.cancel();
        return;
      case 'discard':
        exchanges.get(id)?.discard();
        exchanges.delete(id);
        return;
      case 'resolved':
        names.resolved(id, message.found);
    }
  });
}

/**
 * undici parses heads with a program in WebAssembly. After its first few calls V8 would compile it once more in the
 * background, optimised: 0.2 s of a processor, a third of what the pull of a small file costs, and 30 MiB of memory for a
 * moment, for what runs once for each chunk. To be said before that program is loaded, and only where it was tried: not in
 * Electron.
 */
function leaveParserAsItIs(): void {
  if (!('electron' in process.versions)) setFlagsFromString('--no-wasm-dynamic-tiering --no-wasm-tier-up');
}

interface ExchangeTools {
  readonly dispatchers: Dispatchers;
  readonly limits: NetworkSettings['limits'];
  readonly buffers: ChunkBuffers;
  readonly post: (message: FromNetwork) => void;
}

/** A request of the main thread, and the body of its answer. */
class ServedExchange {
  private readonly controller = new AbortController();
  private body: GatheredBody | undefined;
  private wake: () => void = () => undefined;

  constructor(
    private readonly id: number,
    private readonly tools: ExchangeTools
  ) {}

  /** Tells the head of the answer, its chunks one by one as they are asked for, and how it ended. */
  async run(request: NetworkRequest): Promise<void> {
    const { id } = this;
    const { post } = this.tools;
    try {
      this.body = await this.send(request);
      for await (const gathered of this.body) {
        const asked = this.asked();
        post('bytes' in gathered ? { type: 'chunk', id, ...gathered } : { type: 'landed', id, bytes: gathered.landed });
        await asked;
      }
      post({ type: 'ended', id, fault: undefined });
    } catch (error) {
      const isOfFile = error instanceof FileFault;
      post({ type: 'ended', id, fault: faultOf(isOfFile ? error.cause : error), isOfFile });
    }
  }

  next(): void {
    this.wake();
  }

  land(landing: Landing): void {
    this.body?.land(landing);
    this.wake();
  }

  halt(): void {
    this.body?.halt();
    this.wake();
  }

  cancel(): void {
    this.controller.abort();
  }

  /** The memory of its chunks is used for others from now on. */
  discard(): void {
    this.controller.abort();
    this.body?.discard();
    this.wake();
  }

  private async send({ url: address, admission, ...asked }: NetworkRequest): Promise<GatheredBody> {
    const { dispatchers, limits, buffers, post } = this.tools;
    const url = new URL(address);
    const dispatcher = await dispatchers.of(url, admission);
    const onSent = (bytes: number): void => post({ type: 'sent', id: this.id, bytes });
    const request = { ...asked, url, signal: this.controller.signal, onSent };
    const { status, headers: answered, body } = await exchange(dispatcher, request, { limits, buffers });
    const reach = dispatchers.reached(url) ?? reachOf(url.hostname);
    post({ type: 'answered', id: this.id, head: { status, headers: answered, reach } });
    return body;
  }

  private asked(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** Names that the main thread resolves. */
class RemoteNames {
  private readonly waiting = new Map<number, (found: readonly LookupAddress[] | ThreadFault) => void>();
  private nextId = 1;

  constructor(private readonly post: (message: FromNetwork) => void) {}

  async resolve(host: string): Promise<readonly LookupAddress[]> {
    const id = this.nextId;
    this.nextId += 1;
    const found = await new Promise<readonly LookupAddress[] | ThreadFault>((resolve) => {
      this.waiting.set(id, resolve);
      this.post({ type: 'resolve', id, host });
    });
    if ('message' in found) throw errorOf(found);
    return found;
  }

  resolved(id: number, found: readonly LookupAddress[] | ThreadFault): void {
    this.waiting.get(id)?.(found);
    this.waiting.delete(id);
  }
}
