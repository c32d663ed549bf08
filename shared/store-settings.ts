import * as z from 'zod';
import { CREDENTIAL_ALIAS } from './credential-alias';

const storeSetting = z.object({
  /** `file:`, `s3://bucket/prefix` or `r2://bucket/prefix`. */
  url: z.string(),
  /** Where a bucket is served, when that is not AWS. */
  endpoint: z.string().min(1).optional(),
  /** Region that a bucket is in. */
  region: z.string().min(1).optional(),
  /** Whether the bucket stands in the path of addresses, and not in the name of the host. */
  pathStyle: z.boolean().optional(),
  /** Alias of the access key. */
  credential: z.string().regex(CREDENTIAL_ALIAS).optional()
});

/** The team's stores by the names that the user gave them; one that makes no sense has no address. */
export const storeSettings = z.record(
  z.string(),
  z.union([z.string().transform((url) => ({ url })), storeSetting]).catch({ url: '' })
);

/** What is said of one store. */
export type StoreSetting = z.infer<typeof storeSetting>;

export type StoreSettings = Readonly<Record<string, StoreSetting>>;
