import type { Dispatcher } from 'undici';
import { type ChunkBuffers, GatheredBody, type StallLimits } from './gathered-body';

/** A request as it goes over a connection. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ExchangeTools {
  readonly limits: StallLimits;
  readonly buffers: ChunkBuffers;
}

/** The head of an answer, and its body as it arrives. */
export interface Exchanged {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: GatheredBody;
}

/**
 * Sends a request over undici's connections and waits for the head of its answer. The body is taken at the lowest
 * level that undici has: what it arrives in is copied at once and kept by nobody.
 * @throws errors of the connection, or that of the signal
 */
export function exchange(
  dispatcher: Dispatcher,
  request: ExchangeRequest,
  { limits, buffers }: ExchangeTools
): Promise<Exchanged> {
  const { method, url, headers, signal } = request;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let controller: Dispatcher.DispatchController | undefined;
    let body: GatheredBody | undefined;
    const abort = (): void => controller?.abort(new Error('the request was cancelled', { cause: signal.reason }));
    signal.addEventListener('abort', abort);
    const end = (error?: Error): void => {
      signal.removeEventListener('abort', abort);
      body?.end(error);
      if (error) reject(error);
    };
    const target = { origin: url.origin, path: `${url.pathname}${url.search}`, method, headers: { ...headers } };
    dispatcher.dispatch(target, {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) abort();
      },
      onResponseStart(flow, status, answered) {
        // Before its answer a server may send others that announce it.
        if (status < 200) return;
        body = new GatheredBody(flow, limits, buffers);
        resolve({ status, headers: answered, body });
      },
      onResponseData: (_, chunk) => body?.add(chunk),
      onResponseEnd: () => end(),
      onResponseError: (_, error) => end(error)
    });
  });
}
