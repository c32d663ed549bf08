import { type Digest, isDigest } from '../../shared/digest';
import { type ImageStore, type ListedImage, listImages, type StoredImage } from './images';
import { type ImageSource, imageMissing, parseImageId, receiveImage, sidecarMissing } from './incoming-image';
import { formatSidecar, type ImageDescription, parseSidecar } from './sidecar';

/** What a {@link MemoryImageStore} holds, by id; a second store over the same maps is the first one reopened. */
export interface ImageMemory {
  readonly images: Map<string, Uint8Array>;
  /** Texts of sidecars. */
  readonly sidecars: Map<string, string>;
}

/** A gallery that is gone with the process, for runs that must leave nothing behind. */
export class MemoryImageStore implements ImageStore {
  readonly #memory: ImageMemory;

  constructor(memory: ImageMemory) {
    this.#memory = memory;
  }

  async put(image: ImageSource, description: ImageDescription): Promise<StoredImage> {
    const { bytes, id, sidecar } = await receiveImage(image, description);
    if (!this.#memory.images.has(id)) this.#memory.images.set(id, Uint8Array.from(bytes));
    this.#memory.sidecars.set(id, formatSidecar(sidecar));
    return { id, path: pathOf(id), sidecar };
  }

  async get(id: string): Promise<StoredImage> {
    const digest = parseImageId(id);
    if (!this.#memory.images.has(digest)) throw imageMissing(digest);
    const text = this.#memory.sidecars.get(digest);
    if (text === undefined) throw sidecarMissing(digest);
    return { id: digest, path: pathOf(digest), sidecar: parseSidecar(text, digest) };
  }

  async read(id: string): Promise<Uint8Array> {
    const bytes = this.#memory.images.get(parseImageId(id));
    if (bytes === undefined) throw imageMissing(id);
    return bytes;
  }

  async list(): Promise<readonly ListedImage[]> {
    return listImages(this, await this.idsFrom(''));
  }

  async idsFrom(beginning: string): Promise<readonly Digest[]> {
    const ids = new Set([...this.#memory.images.keys(), ...this.#memory.sidecars.keys()]);
    return [...ids].filter(isDigest).filter((id) => id.startsWith(beginning));
  }

  async delete(id: string): Promise<void> {
    const digest = parseImageId(id);
    const found = [this.#memory.images.delete(digest), this.#memory.sidecars.delete(digest)];
    if (!found.includes(true)) throw imageMissing(digest);
  }
}

/** No file has this path; it only shows where the image is not. */
function pathOf(id: string): string {
  return `memory:${id}.png`;
}
