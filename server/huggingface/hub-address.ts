import type { SourceAddress } from '../../shared/source-address';

/** The hub when HF_ENDPOINT names no other. */
export const PUBLIC_HUB = 'https://huggingface.co';

/** The hub's address without a slash at its end. @param endpoint the user's HF_ENDPOINT, or undefined */
export function hubAddress(endpoint: string | undefined): string {
  return (endpoint || PUBLIC_HUB).replace(/\/+$/, '');
}

/**
 * Where the hub serves a file of a repository: `/{owner}/{repo}/resolve/{revision}/{path}`.
 * @param endpoint the user's HF_ENDPOINT, or undefined
 */
export function hubFileUrl(address: Extract<SourceAddress, { kind: 'hub' }>, endpoint: string | undefined): string {
  const base = hubAddress(endpoint);
  const path = address.path.split('/').map(encodeURIComponent).join('/');
  return `${base}/${address.owner}/${address.repo}/resolve/${encodeURIComponent(address.revision)}/${path}`;
}
