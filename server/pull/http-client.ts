import type * as Undici from 'undici';
import { type ProxySettings, proxyAddress, proxyFor } from './proxy';

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

/** How long a server may send nothing before the connection counts as stalled, in ms. */
const STALL_MS = 30_000;

/** How long a connection may take, in ms. */
const CONNECT_MS = 15_000;

/** The largest head of an answer, in bytes. */
const LARGEST_HEAD_BYTES = 64 * 1024;

/** A client over undici with keep-alive. undici is loaded with the first request, not at start-up. */
export function createHttpClient(proxy: ProxySettings): HttpClient {
  const direct = lazily(async () => directDispatcher(await import('undici'), proxy));
  const proxied = lazily(async () => proxiedDispatcher(await import('undici'), proxy));
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
        body: answer.body,
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

const LIMITS = { headersTimeout: STALL_MS, bodyTimeout: STALL_MS, maxHeaderSize: LARGEST_HEAD_BYTES };

function directDispatcher(undici: typeof Undici, { strictTls }: ProxySettings): Undici.Dispatcher {
  return new undici.Agent({ ...LIMITS, connect: { timeout: CONNECT_MS, rejectUnauthorized: strictTls } });
}

function proxiedDispatcher(undici: typeof Undici, proxy: ProxySettings): Undici.Dispatcher {
  const tls = { rejectUnauthorized: proxy.strictTls };
  const [httpProxy, httpsProxy] = [proxyAddress(proxy.forHttp), proxyAddress(proxy.forHttps)];
  return new undici.EnvHttpProxyAgent({
    ...LIMITS,
    connect: { timeout: CONNECT_MS, ...tls },
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
