import { type HttpSourceOptions, httpSource } from '../pull/http/http-source';
import type { Source } from '../pull/source';
import { type HubAddress, hubFileUrl } from './hub-address';
import type { HubListings } from './hub-listing';

export interface HubSourceOptions {
  readonly listings: HubListings;
  /** The user's HF_ENDPOINT, or undefined. */
  readonly endpoint: string | undefined;
  readonly http: HttpSourceOptions;
}

/**
 * A file of a repository of the hub. Its size and digest come from the listing of the revision, where the hub has one,
 * and its bytes then from the commit that was listed: a branch that moves meanwhile is not mixed in.
 * @throws Failure('refused-address') at once for an endpoint that nothing may be fetched from
 */
export function hubSource(address: HubAddress, { listings, endpoint, http }: HubSourceOptions): Source {
  const named = httpSource(hubFileUrl(address, endpoint), http);
  let listed = named;
  return {
    ...named,
    open: (request) => listed.open(request),
    async probe(signal) {
      const listing = await listings.of(address, { ...http, signal });
      const file = listing?.files.get(address.path);
      // What the listing lacks, the file's own address explains best.
      if (!listing || !file) return named.probe(signal);
      const { commit } = listing;
      if (commit !== null) listed = httpSource(hubFileUrl({ ...address, revision: commit }, endpoint), http);
      return { bytes: file.bytes, isExact: true, digest: file.sha256, gitSha1: file.gitSha1 };
    }
  };
}
