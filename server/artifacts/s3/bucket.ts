import type { Admission } from '../../pull/network/address-policy';

/** A bucket and the way to it. */
export interface Bucket {
  /** `s3` or `r2`: how addresses of it are written. */
  readonly scheme: 's3' | 'r2';
  readonly name: string;
  /** Where it is served, without path. */
  readonly endpoint: URL;
  /** What requests are signed for. */
  readonly region: string;
  /** Whether the bucket stands in the path of addresses, and not in the name of the host. */
  readonly pathStyle: boolean;
  /** Whose word it is that the endpoint may be connected to. */
  readonly admission: Admission;
}

/** Query of an S3 request; an empty value stands for none. */
export type Query = Readonly<Record<string, string>>;

/** The address of an object, or of the bucket itself. @param key null for the bucket */
export function addressIn(bucket: Bucket, key: string | null, query: Query = {}): URL {
  const { endpoint, name, pathStyle } = bucket;
  const url = new URL(endpoint.origin);
  if (!pathStyle) url.hostname = `${name}.${url.hostname}`;
  url.pathname = `${pathStyle ? `/${name}` : ''}/${key === null ? '' : encodedKey(key)}`;
  const pairs = Object.entries(query).map(([parameter, value]) => `${parameter}=${encoded(value)}`);
  url.search = pairs.join('&');
  return url;
}

/** For texts. */
export function labelOf({ scheme, name }: Bucket, path: string): string {
  return path === '' ? `${scheme}://${name}` : `${scheme}://${name}/${path}`;
}

/** A key as it stands in paths of addresses. */
export function encodedKey(key: string): string {
  return key.split('/').map(encoded).join('/');
}

/** As RFC 3986 has it: what is signed and what is sent are the same text then, whatever else a parser leaves alone. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  );
}
