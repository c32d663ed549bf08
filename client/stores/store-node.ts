import type { Publication } from '../../shared/publication';

/** A team store as the settings name it. */
export interface ConfiguredStore {
  readonly name: string;
  /** Never holds a secret. */
  readonly url: string;
}

/** What the tree shows of team stores. */
export type StoreTreeNode = StoreNode | PublicationNode | StoreTroubleNode | EmptyStoreNode;

export interface StoreNode {
  readonly kind: 'store';
  readonly store: ConfiguredStore;
}

export interface PublicationNode {
  readonly kind: 'publication';
  readonly store: ConfiguredStore;
  readonly publication: Publication;
}

/** Stands where the publications of a store would be that cannot be read. */
export interface StoreTroubleNode {
  readonly kind: 'store-trouble';
  readonly store: ConfiguredStore;
  /** What reading failed with. */
  readonly thrown: unknown;
}

export interface EmptyStoreNode {
  readonly kind: 'store-empty';
  readonly store: ConfiguredStore;
}

/** What the job is called that works on a publication, not on the model of its name: no model has a slash. */
export function publicationJob({ store, publication }: PublicationNode): string {
  return `${store.name}/${publication.name}`;
}

/** Where a publication is, as a URL. */
export function publicationAddress({ store, publication }: PublicationNode): string {
  return `${store.url.replace(/\/+$/, '')}/${publication.name}`;
}
