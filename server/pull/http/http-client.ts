import type { HostReach } from '../../../shared/host-reach';
import type { Clock } from '../../platform/clock';
import type { Admission } from '../network/address-policy';
import type { HostResolver } from '../network/guarded-connection';
import type { HttpMethod, NetworkSettings } from '../network/network-messages';
import { NetworkThread, type OnSent, type StartNetwork } from '../network/network-thread';
import { proxyFor } from '../network/proxy';
import type { RequestBody } from '../network/request-body';
import type { Body } from '../partial/landing';
import { type OnWait, OriginWaits } from './origin-waits';
import type { TransferLimiter } from './transfer-limiter';

/** An answer: its head, and its body as chunks of at most 512 KiB. */
export interface HttpAnswer {
  readonly status: number;
  /** How far the host is: told by the address that was connected to, behind a proxy by its name only. */
  readonly reach: HostReach;
  /** Header names in lower case; a header sent twice has its first value. */
  header(name: string): string | undefined;
  /** A chunk is the reader's until it asks for the next one. */
  readonly body: Body;
  /** Ends the exchange without reading the rest of the body. */
  discard(): void;
}

export interface SendOptions {
  /** Which hosts may be connected to; what the user named when it is left out. */
  readonly admission?: Admission;
  /** Hears of it when the request has to wait because the server asked for that. */
  readonly onWait?: OnWait | undefined;
  /** What is sent along, by the network thread; its length is told. */
  readonly body?: RequestBody | undefined;
  /** Hears how many bytes of the body were sent so far. */
  readonly onSent?: OnSent | undefined;
  /** How long the answer may take when everything is sent, in ms; as long as a stall when it is left out. */
  readonly answerMs?: number | undefined;
}

/** Sends requests and follows no redirects. */
export interface HttpClient {
  /**
   * Waits first, when the server asked to be left alone.
   * @throws Failure('refused-address') when the address that would be connected to is not allowed; FileFault when the
   * file of the body cannot be read
   */
  send(
    method: HttpMethod,
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    options?: SendOptions
  ): Promise<HttpAnswer>;
  /** Host of the proxy that an address is reached through, or undefined. */
  proxyHost(url: URL): string | undefined;
  /** Ends all connections. */
  close(): Promise<void>;
}

export interface HttpClientOptions extends NetworkSettings {
  /** Finds the addresses of host names. */
  readonly resolveHost: HostResolver;
  /** The bundled worker, an absolute path. */
  readonly workerScript: string;
  /** Gives the thread that connections live in; absent: one of the client's own. */
  readonly startNetwork?: StartNetwork | undefined;
  /** Holds bodies to the rate that the user allows. */
  readonly limiter: TransferLimiter;
  readonly clock: Clock;
}

/** A client whose connections live in a thread of their own, which is started with the first request. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { proxy, policy, authorities, limits, limiter, resolveHost, workerScript } = options;
  const waits = new OriginWaits(options.clock);
  const { startNetwork = (given) => new NetworkThread(given) } = options;
  const network = startNetwork({ workerScript, resolveHost, settings: { proxy, policy, authorities, limits } });
  return {
    async send(method, url, headers, signal, { admission = 'named', onWait, onSent, body, answerMs } = {}) {
      await waits.pass(url, signal, onWait);
      const request = { method, url: url.href, headers, admission, body, answerMs };
      const answer = await network.send(request, signal, onSent);
      const { status, reach, headers: answered } = answer.head;
      const header = (name: string): string | undefined => [answered[name]].flat()[0];
      waits.note(url, { status, header });
      return { status, reach, header, body: limiter.paced(answer.body, signal), discard: () => answer.discard() };
    },
    proxyHost(url) {
      const address = proxyFor(url, proxy);
      return address && new URL(address).host;
    },
    close: () => network.close()
  };
}
