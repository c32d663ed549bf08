/** An answer to a GET: its head, and its body as chunks. */
export interface HttpAnswer {
  readonly status: number;
  /** Header names in lower case; a header sent twice has its first value. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the exchange without reading the rest of the body. */
  discard(): void;
}

/** Sends GET requests and follows no redirects. */
export interface HttpClient {
  get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer>;
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
export function createHttpClient(): HttpClient {
  const loaded = lazily(async () => {
    const undici = await import('undici');
    const dispatcher = new undici.Agent({
      connect: { timeout: CONNECT_MS },
      headersTimeout: STALL_MS,
      bodyTimeout: STALL_MS,
      maxHeaderSize: LARGEST_HEAD_BYTES
    });
    return { undici, dispatcher };
  });
  return {
    async get(url, headers, signal) {
      const { undici, dispatcher } = await loaded();
      const answer = await undici.request(url, { method: 'GET', headers, signal, dispatcher });
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
    async close() {
      if (loaded.wasCalled()) await (await loaded()).dispatcher.destroy();
    }
  };
}

function lazily<T>(load: () => Promise<T>): { (): Promise<T>; wasCalled(): boolean } {
  let value: Promise<T> | undefined;
  const get = (): Promise<T> => {
    value ??= load();
    return value;
  };
  return Object.assign(get, { wasCalled: () => value !== undefined });
}
