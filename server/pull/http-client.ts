import type * as Undici from 'undici';
import { type ProxySettings, proxyAddress, proxyFor } from './proxy';
import type { TransferTuning } from './transfer-tuning';

/** An answer: its head, and its body as chunks. */
export interface HttpAnswer {
  readonly status: number;
  /** Header names in lower case; a header sent twice has its first value. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the exchange without reading the rest of the body. */
  discard(): void;
}

/** Sends requests and follows no redirects. */
export interface HttpClient {
  send(
    method: 'GET' | 'HEAD',
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal
  ): Promise<HttpAnswer>;
  /** Host of the proxy that an address is reached through, or undefined. */
  proxyHost(url: URL): string | undefined;
  /** Closes idle connections. */
  close(): Promise<void>;
}

/** The largest head of an answer, in bytes. */
const LARGEST_HEAD_BYTES = 64 * 1024;

/** What of the tuning concerns a single connection. */
export type ConnectionLimits = Pick<TransferTuning, 'connectMs' | 'stallMs' | 'stallBytes'>;

/** Code of the error that a body ends with whose server sends next to nothing. */
export const CRAWLING = 'CRAWLING';

/** A client over undici with keep-alive. undici is loaded with the first request, not at start-up. */
export function createHttpClient(proxy: ProxySettings, limits: ConnectionLimits): HttpClient {
  const direct = lazily(async () => directDispatcher(await import('undici'), proxy, limits));
  const proxied = lazily(async () => proxiedDispatcher(await import('undici'), proxy, limits));
  return {
    async send(method, url, headers, signal) {
      const dispatcher = await (proxyFor(url, proxy) === undefined ? direct : proxied).get();
      const undici = await import('undici');
      const answer = await undici.request(url, { method, headers, signal, dispatcher });
      return {
        status: answer.statusCode,
        header(name) {
          const value = answer.headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
        body: steady(answer.body, limits),
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
    async close() {
      const opened = [direct, proxied].filter((dispatcher) => dispatcher.wasCalled());
      // One that could not be made has nothing to close.
      await Promise.allSettled(opened.map(async (dispatcher) => (await dispatcher.get()).destroy()));
    }
  };
}

/** A server that goes on sending, but so little that the file would never be there. */
class Crawling extends Error {
  readonly code = CRAWLING;
}

/** Ends a body that brings next to nothing while we wait for it; silence is ended by undici's own timeout. */
async function* steady(
  body: AsyncIterable<Uint8Array>,
  { stallMs, stallBytes }: ConnectionLimits
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

function dispatcherLimits({ stallMs }: ConnectionLimits) {
  return { headersTimeout: stallMs, bodyTimeout: stallMs, maxHeaderSize: LARGEST_HEAD_BYTES };
}

function directDispatcher(
  undici: typeof Undici,
  { strictTls }: ProxySettings,
  limits: ConnectionLimits
): Undici.Dispatcher {
  const connect = { timeout: limits.connectMs, rejectUnauthorized: strictTls };
  return new undici.Agent({ ...dispatcherLimits(limits), connect });
}

function proxiedDispatcher(undici: typeof Undici, proxy: ProxySettings, limits: ConnectionLimits): Undici.Dispatcher {
  const tls = { rejectUnauthorized: proxy.strictTls };
  const [httpProxy, httpsProxy] = [proxyAddress(proxy.forHttp), proxyAddress(proxy.forHttps)];
  return new undici.EnvHttpProxyAgent({
    ...dispatcherLimits(limits),
    connect: { timeout: limits.connectMs, ...tls },
    requestTls: tls,
    proxyTls: tls,
    // Plain http goes to the proxy as it is: few proxies open tunnels to other ports than 443.
    proxyTunnel: false,
    noProxy: proxy.exceptions,
    ...(httpProxy !== undefined && { httpProxy }),
    ...(httpsProxy !== undefined && { httpsProxy })
  });
}

interface Lazy<T> {
  get(): T;
  wasCalled(): boolean;
}

function lazily<T>(load: () => T): Lazy<T> {
  let value: { readonly loaded: T } | undefined;
  return {
    get() {
      value ??= { loaded: load() };
      return value.loaded;
    },
    wasCalled: () => value !== undefined
  };
}
