import * as http from 'node:http';
import * as https from 'node:https';
import type { LookupFunction } from 'node:net';

/** An answer: its status, and its body as it arrives. */
export interface ServerAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Speaks HTTP with one sd-server. */
export interface Transport {
  /**
   * @param path below the server's address, beginning with a slash
   * @param body JSON
   * @throws system errors of the connection, an AbortError
   */
  send(method: 'GET' | 'POST', path: string, body: string | undefined, signal: AbortSignal): Promise<ServerAnswer>;
  /** Ends all connections. */
  close(): void;
}

export interface TransportOptions {
  /** http or https; a path counts as the server's root. */
  readonly address: URL;
  /** Finds the addresses of the host; absent: as the system does. */
  readonly lookup?: LookupFunction | undefined;
  /** Certificates of all authorities to trust; absent: those of Node. */
  readonly authorities?: readonly string[] | undefined;
}

/** How long a server may be silent, in ms: it answers within milliseconds while it generates. */
const SILENCE_MS = 30_000;

/** One connection at a time, kept for the next request. */
export function connectTransport({ address, lookup, authorities }: TransportOptions): Transport {
  const isSecure = address.protocol === 'https:';
  const agent = isSecure
    ? new https.Agent({ keepAlive: true, maxSockets: 1, ...(authorities && { ca: [...authorities] }) })
    : new http.Agent({ keepAlive: true, maxSockets: 1 });
  const root = address.pathname.replace(/\/$/, '');
  return {
    async send(method, path, body, signal) {
      const bytes = body === undefined ? undefined : Buffer.from(body);
      const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
        const request = (isSecure ? https : http).request(new URL(`${root}${path}`, address), {
          method,
          agent,
          signal,
          timeout: SILENCE_MS,
          ...(lookup && { lookup }),
          headers: bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}
        });
        request.once('timeout', () => request.destroy(new Error('the server did not answer in time')));
        request.once('response', resolve);
        request.once('error', reject);
        request.end(bytes);
      });
      return { status: response.statusCode ?? 0, body: response };
    },
    close: () => agent.destroy()
  };
}
