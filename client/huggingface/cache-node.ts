import type { HubCacheFile, HubCacheRepository, HubCacheRevision } from '../../shared/hub-cache';

/** A row of the view of the Hugging Face cache. */
export type CacheNode =
  | { readonly kind: 'repository'; readonly repository: HubCacheRepository }
  | { readonly kind: 'revision'; readonly repository: HubCacheRepository; readonly revision: HubCacheRevision }
  | {
      readonly kind: 'file';
      readonly repository: HubCacheRepository;
      readonly revision: HubCacheRevision;
      readonly file: HubCacheFile;
    };

/** What can be worked on: a repository, or one revision of it. */
export type CacheTarget = Exclude<CacheNode, { kind: 'file' }>;

/** How requests name a row: `hf:owner/repo`, `hf:owner/repo@commit`. */
export function referenceOf(node: CacheTarget): string {
  const { reference } = node.repository;
  return node.kind === 'repository' ? reference : `${reference}@${node.revision.commit}`;
}
