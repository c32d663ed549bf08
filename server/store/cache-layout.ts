import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import { type ModelName, modelKey } from '../../shared/model-name';

/** Where everything lies within the cache root. All paths are absolute if the root is. */
export class CacheLayout {
  constructor(readonly root: string) {}

  /** Registry generations. */
  get registry(): string {
    return join(this.root, 'registry');
  }

  /** Installed bundles, one folder each. */
  get models(): string {
    return join(this.root, 'models');
  }

  /** One folder for all spellings of a name, for names are unique without regard to case. */
  model(name: ModelName): string {
    return join(this.models, modelKey(name));
  }

  /** The one place of a content, by its digest. */
  blob(digest: Digest): string {
    return join(this.blobFolder(digest), digest);
  }

  blobFolder(digest: Digest): string {
    return join(this.blobs, digest.slice(0, 2));
  }

  /** All contents, in folders by the first two digits of their digests. */
  get blobs(): string {
    return join(this.root, 'blobs', 'sha256');
  }

  /** Artifacts of team stores, in folders by their combined hashes. */
  get fetched(): string {
    return join(this.root, 'fetched');
  }

  /** Blobs that a collection set aside until it is sure that nobody uses them. */
  get garbage(): string {
    return join(this.root, '.garbage');
  }

  /** Transfers under way or resumable. */
  get partials(): string {
    return join(this.root, '.partial');
  }

  /** Bundles being put together. */
  get staging(): string {
    return join(this.root, '.staging');
  }

  /** Bundles being removed. */
  get purge(): string {
    return join(this.root, '.purge');
  }

  /** Records of operations that rename bundles. */
  get operations(): string {
    return join(this.root, '.operations');
  }

  /** What was read and found to have which digest. */
  get proofs(): string {
    return join(this.root, 'proofs');
  }

  /** Scratch folders of engine runs. */
  get scratch(): string {
    return join(this.root, '.scratch');
  }

  /** Whose turn it is to run an engine. */
  get queue(): string {
    return join(this.root, '.queue');
  }

  /** Checkpoints of batches that name no other store. */
  get batches(): string {
    return join(this.root, 'batches');
  }

  /** What is remembered of the batches of this machine. */
  get batchRecords(): string {
    return join(this.root, '.batches');
  }

  /** Engines that we installed. */
  get engines(): string {
    return join(this.root, 'engine');
  }

  /** What engines can do, whoever installed them. */
  get engineProbes(): string {
    return join(this.engines, 'probes');
  }
}

/** The file that makes a folder a bundle; written last. */
export const BUNDLE_MANIFEST = 'manifest.json';
