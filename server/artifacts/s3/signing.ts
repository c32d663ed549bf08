import { createHash } from 'node:crypto';
import type { HttpMethod } from '../../pull/network/network-messages';
import type { AccessKey } from './access-keys';

/** A request before it is signed. */
export interface UnsignedRequest {
  readonly method: HttpMethod;
  readonly url: URL;
  /** All that is to be signed, beside what signing adds. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hexadecimal digits, so that the server refuses another one. */
  readonly payload: string;
}

/** SHA-256 of nothing. */
export const NO_PAYLOAD = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export interface SigningScope {
  readonly key: AccessKey;
  readonly region: string;
  readonly service: 's3';
  /** Milliseconds since the epoch, by the clock of the server. */
  readonly now: number;
  /** Keeps what is derived from the key for a day. */
  readonly cache: Map<string, ArrayBuffer>;
}

/** The headers of a request with a signature of version 4. The signer is loaded when it is first needed. */
export async function signedHeaders(request: UnsignedRequest, scope: SigningScope): Promise<Record<string, string>> {
  const { AwsV4Signer } = await import('aws4fetch');
  const { key, region, service, now, cache } = scope;
  const signer = new AwsV4Signer({
    method: request.method,
    url: request.url.href,
    headers: { ...request.headers, 'x-amz-content-sha256': request.payload },
    accessKeyId: key.id,
    secretAccessKey: key.secret,
    ...(key.sessionToken !== undefined && { sessionToken: key.sessionToken }),
    service,
    region,
    cache,
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, '')
  });
  const { headers } = await signer.sign();
  return Object.fromEntries(headers.entries());
}

/** The digest that bytes are signed by. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
