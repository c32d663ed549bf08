import type { Digest } from '../../../shared/digest';
import { keyBelow, type StoreKey, storeKey } from '../store-key';

/** Where everything of a job's checkpoint lies in a store. */
export class CheckpointKeys {
  /** All of it. */
  readonly folder: StoreKey;
  /** The document that is the checkpoint. */
  readonly manifest: StoreKey;

  /** @throws Failure for a name that cannot be a key */
  constructor(job: string) {
    this.folder = storeKey(job, { reserved: '_resume' });
    this.manifest = keyBelow(this.folder, 'manifest.json');
  }

  /** An object of one run by its name. */
  part(run: string, name: string): StoreKey {
    return keyBelow(this.folder, run, name);
  }

  /** An image or video. */
  image(run: string, id: Digest): StoreKey {
    return keyBelow(this.folder, run, 'images', id);
  }

  sidecar(run: string, id: Digest): StoreKey {
    return keyBelow(this.folder, run, 'images', `${id}.json`);
  }

  /** An image that images were made from, by its digest. */
  input(run: string, digest: string): StoreKey {
    return keyBelow(this.folder, run, 'inputs', digest);
  }
}
