import type { HostReach } from '../../shared/host-reach';
import type { Clock } from '../platform/clock';
import { type Admission, reachOf } from './address-policy';
import { type DispatcherOptions, Dispatchers } from './dispatchers';
import { type OnWait, OriginWaits } from './origin-waits';
import { proxyFor } from './proxy';
import type { TransferLimiter } from './transfer-limiter';
import type { TransferTuning } from './transfer-tuning';

/** An answer: its head, and its body as chunks. */
export interface HttpAnswer {
  readonly status: number;
  /** How far the host is: told by the address that was connected to, behind a proxy by its name only. */
  readonly reach: HostReach;
  /** Header names in lower case; a header sent twice has its first value. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the exchange without reading the rest of the body. */
  discard(): void;
}

export interface SendOptions {
  /** Which hosts may be connected to; what the user named when it is left out. */
  readonly admission?: Admission;
  /** Hears of it when the request has to wait because the server asked for that. */
  readonly onWait?: OnWait | undefined;
}

/** Sends requests and follows no redirects. */
export interface HttpClient {
  /**
   * Waits first, when the server asked to be left alone.
   * @throws Failure('refused-address') when the address that would be connected to is not allowed
   */
  send(
    method: 'GET' | 'HEAD',
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    options?: SendOptions
  ): Promise<HttpAnswer>;
  /** Host of the proxy that an address is reached through, or undefined. */
  proxyHost(url: URL): string | undefined;
  /** Closes idle connections. */
  close(): Promise<void>;
}

/** What of the tuning concerns a body under way. */
type StallLimits = Pick<TransferTuning, 'stallMs' | 'stallBytes'>;

/** Code of the error that a body ends with whose server sends next to nothing. */
export const CRAWLING = 'CRAWLING';

export interface HttpClientOptions extends DispatcherOptions {
  readonly limits: DispatcherOptions['limits'] & StallLimits;
  /** Holds bodies to the rate that the user allows. */
  readonly limiter: TransferLimiter;
  readonly clock: Clock;
}

/** A client over undici with keep-alive. undici is loaded with the first request, not at start-up. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { proxy, limits, limiter } = options;
  const waits = new OriginWaits(options.clock);
  const dispatchers = new Dispatchers(options);
  return {
    async send(method, url, headers, signal, { admission = 'named', onWait } = {}) {
      await waits.pass(url, signal, onWait);
      const dispatcher = await dispatchers.of(url, admission);
      const { request } = await import('undici');
      const answer = await request(url, { method, headers, signal, dispatcher });
      const header = (name: string): string | undefined => [answer.headers[name]].flat()[0];
      waits.note(url, { status: answer.statusCode, header });
      return {
        status: answer.statusCode,
        reach: dispatchers.reached(url) ?? reachOf(url.hostname),
        header,
        body: limiter.paced(steady(answer.body, limits), signal),
        discard() {
          answer.body.on('error', () => undefined);
          answer.body.destroy();
        }
      };
    },
    proxyHost(url) {
      const address = proxyFor(url, proxy);
      return address && new URL(address).host;
    },
    close: () => dispatchers.close()
  };
}

/** A server that goes on sending, but so little that the file would never be there. */
class Crawling extends Error {
  readonly code = CRAWLING;
}

/** Ends a body that brings next to nothing while we wait for it; silence is ended by undici's own timeout. */
async function* steady(
  body: AsyncIterable<Uint8Array>,
  { stallMs, stallBytes }: StallLimits
): AsyncIterable<Uint8Array> {
  let bytes = 0;
  let waitedMs = 0;
  let askedAt = performance.now();
  for await (const chunk of body) {
    // Only waiting counts: whoever reads may take its time between the chunks.
    waitedMs += performance.now() - askedAt;
    bytes += chunk.length;
    if (waitedMs >= stallMs) {
      if (bytes < stallBytes) throw new Crawling();
      bytes = 0;
      waitedMs = 0;
    }
    yield chunk;
    askedAt = performance.now();
  }
}
