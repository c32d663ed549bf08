import type { Dispatcher } from 'undici';
import { type ChunkBuffers, GatheredBody, type StallLimits } from './gathered-body';
import type { HttpMethod } from './network-messages';
import { bodyLength, bodyStream, type RequestBody } from './request-body';

/** A request as it goes over a connection. */
export interface ExchangeRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly body?: RequestBody | undefined;
  /** How long the answer may take when everything is sent, in ms. */
  readonly answerMs?: number | undefined;
  /** Hears how many bytes of the body were sent so far. */
  readonly onSent: (bytes: number) => void;
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
  const { signal } = request;
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
    dispatcher.dispatch(dispatched(request), {
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

function dispatched({ method, url, headers, body, answerMs, onSent }: ExchangeRequest): Dispatcher.DispatchOptions {
  const target = { origin: url.origin, path: `${url.pathname}${url.search}`, method };
  return {
    ...target,
    headers: body ? { ...headers, 'content-length': `${bodyLength(body)}` } : { ...headers },
    body: body && bodyLength(body) > 0 ? bodyStream(body, onSent) : null,
    ...(answerMs !== undefined && { headersTimeout: answerMs })
  };
}
