import type * as Undici from 'undici';
import { type ProxySettings, proxyFor } from './proxy';

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

/**
 * A client over undici with keep-alive. undici is loaded with the first request, not at start-up.
 * @param readProxy read with the first request, so that a wrong address fails what needs it and nothing else
 */
export function createHttpClient(readProxy: () => ProxySettings): HttpClient {
  const proxy = lazily(readProxy);
  const loaded = lazily(async () => {
    const undici = await import('undici');
    return { undici, ...dispatchers(undici, proxy.get()) };
  });
  return {
    async send(method, url, headers, signal) {
      const { undici, direct, proxied } = await loaded.get();
      const dispatcher = proxyFor(url, proxy.get()) === undefined ? direct : proxied;
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
      const address = proxyFor(url, proxy.get());
      return address && new URL(address).host;
    },
    async close() {
      if (!loaded.wasCalled()) return;
      const { direct, proxied } = await loaded.get();
      await Promise.all([direct.destroy(), proxied.destroy()]);
    }
  };
}

function dispatchers(
  undici: typeof Undici,
  proxy: ProxySettings
): { direct: Undici.Dispatcher; proxied: Undici.Dispatcher } {
  const tls = { rejectUnauthorized: proxy.strictTls };
  const limits = { headersTimeout: STALL_MS, bodyTimeout: STALL_MS, maxHeaderSize: LARGEST_HEAD_BYTES };
  const connect = { timeout: CONNECT_MS, ...tls };
  return {
    direct: new undici.Agent({ ...limits, connect }),
    proxied: new undici.EnvHttpProxyAgent({
      ...limits,
      connect,
      requestTls: tls,
      // Plain http goes to the proxy as it is: few proxies open tunnels to other ports than 443.
      proxyTunnel: false,
      noProxy: proxy.exceptions,
      ...(proxy.forHttp !== undefined && { httpProxy: proxy.forHttp }),
      ...(proxy.forHttps !== undefined && { httpsProxy: proxy.forHttps })
    })
  };
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
