import type { SourceAddress } from '../../shared/source-address';
import { hubPath, type RepositoryId } from './repository';

/** The hub when HF_ENDPOINT names no other. */
export const PUBLIC_HUB = 'https://huggingface.co';

/** The hub's address without a slash at its end. @param endpoint the user's HF_ENDPOINT, or undefined */
export function hubAddress(endpoint: string | undefined): string {
  return (endpoint || PUBLIC_HUB).replace(/\/+$/, '');
}

/** A file of a model repository as manifests name it. */
export type HubAddress = Extract<SourceAddress, { kind: 'hub' }>;

/** Where the hub lists all files of a revision: `/api/models/{owner}/{repo}/tree/{revision}`. */
export function hubTreeUrl({ owner, repo, revision }: HubAddress, endpoint: string | undefined): string {
  return `${hubAddress(endpoint)}/api/models/${owner}/${repo}/tree/${encodeURIComponent(revision)}?recursive=true`;
}

/**
 * Where the hub serves a file of a repository: `/{owner}/{repo}/resolve/{revision}/{path}`.
 * @param endpoint the user's HF_ENDPOINT, or undefined
 */
export function hubFileUrl(address: HubAddress, endpoint: string | undefined): string {
  const { owner, repo, revision, path } = address;
  return repositoryFileUrl({ kind: 'model', name: `${owner}/${repo}` }, revision, path, endpoint);
}

/** Where the hub serves a file of a repository of any kind; as {@link hubFileUrl}. */
export function repositoryFileUrl(
  repository: RepositoryId,
  revision: string,
  path: string,
  endpoint: string | undefined
): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `${hubAddress(endpoint)}/${hubPath(repository)}/resolve/${encodeURIComponent(revision)}/${encoded}`;
}

/** The page of a repository on the hub. */
export function repositoryPage(repository: RepositoryId, endpoint: string | undefined): string {
  return `${hubAddress(endpoint)}/${hubPath(repository)}`;
}
