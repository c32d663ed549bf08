import { parseSourceAddress, type RefusedAddress } from './source-address';

/** Where a team's store is. Only the form is checked: nothing is opened or connected to. */
export type StoreAddress =
  /** `url` begins with `file:` and has no slash at its end. */
  | { readonly kind: 'folder'; readonly url: string }
  | {
      readonly kind: 'bucket';
      readonly scheme: 's3' | 'r2';
      readonly bucket: string;
      /** With `/` between its segments and at neither end; empty for the whole bucket. */
      readonly prefix: string;
    }
  | RefusedAddress;

/** Reads `file:///folder`, `s3://bucket/prefix` and `r2://bucket/prefix`; a prefix may be missing. */
export function parseStoreAddress(text: string): StoreAddress {
  const plain = text.trim().replace(/\/+$/, '');
  const isBucketAlone = /^(?:s3|r2):\/\/[^/]+$/i.test(plain);
  const address = parseSourceAddress(isBucketAlone ? `${plain}/any` : plain);
  switch (address.kind) {
    case 'file':
      return { kind: 'folder', url: plain };
    case 'store': {
      const { scheme, bucket, key } = address;
      return { kind: 'bucket', scheme, bucket, prefix: isBucketAlone ? '' : key };
    }
    case 'refused':
      return address;
    default:
      return { kind: 'refused', reason: 'is that of no store; use “file:///folder”, “s3://bucket” or “r2://bucket”' };
  }
}
