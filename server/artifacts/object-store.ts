import type { Digest } from '../../shared/digest';
import type { Source } from '../pull/source';
import type { StoreKey } from './store-key';

/** What a store says of an object. */
export interface ObjectFacts {
  readonly bytes: number;
  /** Opaque; differs when the content was replaced by another one. For S3 the ETag without quotes. */
  readonly version: string;
}

/** What is put: bytes at hand, or a file of this machine, which is read while it is sent and never wholly in memory. */
export type ObjectContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'file';
      /** Absolute path. */
      readonly path: string;
      /** What the file has to have; a file that changed meanwhile is not put. */
      readonly bytes: number;
      readonly digest: Digest;
    };

export interface PutOptions {
  readonly signal: AbortSignal;
  /** Told how many bytes of the content are sent so far; it may fall back when something has to be sent again. */
  readonly onBytes?: (sent: number) => void;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** The most that is taken, in bytes. */
  readonly limit: number;
}

/** A small content whole, with its version. */
export interface ReadContent {
  readonly bytes: Uint8Array;
  readonly version: string;
}

/** An object or document as a store lists it. */
export interface ListedObject {
  readonly key: StoreKey;
  readonly bytes: number;
  readonly changedAtUnixMs: number;
}

/**
 * Where a team keeps models and results: objects, which are put whole and never changed in place, and documents, which
 * are small and changed by compare-and-swap only. One key is an object or a document, never both, and no key lies below
 * that of an object or document. All operations throw Failure, 'cancelled' when the signal says so.
 */
export interface ObjectStore {
  /** For texts: `s3://bucket/prefix`, a folder; never a secret. */
  readonly label: string;
  /** Puts an object, whole or not at all; it takes the place of the one that is there. */
  put(key: StoreKey, content: ObjectContent, options: PutOptions): Promise<ObjectFacts>;
  /** @returns undefined when it is not there */
  head(key: StoreKey, signal: AbortSignal): Promise<ObjectFacts | undefined>;
  /** A small object whole. @returns undefined when it is not there @throws Failure when it is larger than the limit */
  read(key: StoreKey, options: ReadOptions): Promise<ReadContent | undefined>;
  /**
   * An object as a source of the pull engine: in parts, and resumable. It fails with 'object-missing' when it is opened
   * or probed and the object is not there.
   * @param facts the content that has to be there still; ContentChanged when it was replaced
   */
  source(key: StoreKey, facts?: ObjectFacts): Source;
  /**
   * Where objects are plain files of this machine: the path of one, undefined when it is not there. The file is to be
   * read only, and may go or be replaced as a whole at any time.
   */
  readonly locate?: (key: StoreKey) => Promise<string | undefined>;
  /** Copies inside the store without the bytes coming here. @returns false when the source is not there */
  copy(from: StoreKey, to: StoreKey, signal: AbortSignal): Promise<boolean>;
  /** Does nothing when it is not there. */
  delete(key: StoreKey, signal: AbortSignal): Promise<void>;
  /**
   * Every object and document below a key, or of the whole store, in no order. For collection and for people only:
   * nothing may be decided by it but what nobody names any more. Names that no key has are left out.
   */
  list(below: StoreKey | null, signal: AbortSignal): AsyncIterable<ListedObject>;
  /** A document whole. @returns undefined when it is not there @throws Failure when it is larger than the limit */
  readDocument(key: StoreKey, options: ReadOptions): Promise<ReadContent | undefined>;
  /**
   * Writes a document, if it is still the one that was read; of several writers who read the same one, one wins.
   * @param previous version that has to be there now, or null for: nothing
   * @returns the new version, or undefined when something else was there
   * @throws Failure('store-unfit') when the store takes conditions but does not keep them
   */
  swapDocument(
    key: StoreKey,
    bytes: Uint8Array,
    previous: string | null,
    signal: AbortSignal
  ): Promise<string | undefined>;
  /** Does nothing when it is not there. */
  deleteDocument(key: StoreKey, signal: AbortSignal): Promise<void>;
  /**
   * Where what is put in parts may stay behind a process that died, and is paid for: ends the uploads that were begun
   * before a time, in ms since the epoch. For collection only. @returns how many
   */
  readonly endUploads?: (begunBeforeUnixMs: number, signal: AbortSignal) => Promise<number>;
}
