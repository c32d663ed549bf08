import { refused } from './http-faults';
import { readable } from './http-opening';
import { follow, type HttpSourceOptions, refusal } from './http-source';
import { checkedAddress } from './web-address';

/** A whole answer that is small enough to be held. */
export interface HttpDocument {
  readonly text: string;
  /** Header names in lower case. */
  header(name: string): string | undefined;
}

export interface DocumentOptions extends HttpSourceOptions {
  readonly signal: AbortSignal;
  /** A longer answer is refused, in bytes. */
  readonly mostBytes: number;
}

/**
 * Asks for a document by the rules of {@link httpSource}: for addresses, redirects and credentials.
 * @throws Failure, TransientFault
 */
export async function readDocument(address: string, options: DocumentOptions): Promise<HttpDocument> {
  const { policy, mostBytes } = options;
  const { answer, url } = await follow(checkedAddress(address, policy), {}, { ...options, method: 'GET' });
  try {
    if (answer.status !== 200) throw refusal(answer, url, options);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of readable(answer, url, options)) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw refused(url, `sent an answer of more than ${mostBytes} bytes`);
      chunks.push(Buffer.from(chunk));
    }
    return { text: Buffer.concat(chunks).toString('utf8'), header: (name) => answer.header(name) };
  } finally {
    answer.discard();
  }
}
