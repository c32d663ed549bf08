import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import { exists, makeDirectoryDurably, writeFileDurably } from '../platform/durable-files';
import { fileFailure, isErrorWithCode } from '../platform/system-error';
import { type ImageSource, imageMissing, parseImageId, receiveImage, sidecarMissing } from './incoming-image';
import { formatSidecar, type ImageDescription, type ImageSidecar, parseSidecar } from './sidecar';

export interface StoredImage {
  /** SHA-256 of the bytes. */
  readonly id: Digest;
  /** Where the PNG lies. */
  readonly path: string;
  readonly sidecar: ImageSidecar;
}

/** The gallery: images by their content, each with a sidecar. */
export interface ImageStore {
  /**
   * Stores an image that was already decoded and checked. The same bytes again rewrite the sidecar alone.
   * @throws Failure 'bad-image', 'disk-full', 'file-access'
   */
  put(image: ImageSource, description: ImageDescription): Promise<StoredImage>;
  /** @throws Failure 'image-missing', 'image-sidecar-missing', 'image-sidecar-unreadable', 'file-access' */
  get(id: string): Promise<StoredImage>;
  /** The bytes of an image. @throws Failure 'image-missing', 'file-access' */
  read(id: string): Promise<Uint8Array>;
}

/**
 * Images as `<root>/sha256/ab/<64 hex>.png` with `<64 hex>.json` beside them. The extension is there so that every
 * program opens the files. An image is written before its sidecar, and each appears whole or not at all.
 */
export class FileImageStore implements ImageStore {
  readonly #root: string;

  /** @param root `<cache root>/images`; made when the first image comes */
  constructor(root: string) {
    this.#root = root;
  }

  async put(image: ImageSource, description: ImageDescription): Promise<StoredImage> {
    const { bytes, id, sidecar } = await receiveImage(image, description);
    const path = this.#path(id, '.png');
    try {
      await makeDirectoryDurably(this.#folder(id));
      if (!(await holds(path, bytes))) await writeFileDurably(path, bytes);
      await writeFileDurably(this.#path(id, '.json'), formatSidecar(sidecar));
    } catch (error) {
      throw fileFailure(error, 'The image cannot be stored.', path);
    }
    return { id, path, sidecar };
  }

  async get(id: string): Promise<StoredImage> {
    const digest = parseImageId(id);
    const path = this.#path(digest, '.png');
    // A sidecar alone describes nothing, so the image is looked for first.
    if (!(await exists(path))) throw imageMissing(digest);
    const text = await this.#read(digest, '.json');
    return { id: digest, path, sidecar: parseSidecar(text.toString('utf8'), digest) };
  }

  async read(id: string): Promise<Uint8Array> {
    return this.#read(parseImageId(id), '.png');
  }

  async #read(id: Digest, extension: '.png' | '.json'): Promise<Buffer> {
    const path = this.#path(id, extension);
    try {
      return await readFile(path);
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT')) throw fileFailure(error, 'The gallery cannot be read.', path);
      throw extension === '.png' ? imageMissing(id) : sidecarMissing(id);
    }
  }

  #path(id: Digest, extension: '.png' | '.json'): string {
    return join(this.#folder(id), `${id}${extension}`);
  }

  #folder(id: Digest): string {
    return join(this.#root, 'sha256', id.slice(0, 2));
  }
}

/** Whether a file holds exactly these bytes: one that was damaged meanwhile is written again. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return (await readFile(path)).equals(bytes);
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    throw error;
  }
}
