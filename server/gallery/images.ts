import { readFile, rm } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { type Digest, isDigest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import { exists, makeDirectoryDurably, writeFileDurably } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { fileFailure, isErrorWithCode } from '../platform/system-error';
import { type ImageSource, imageMissing, parseImageId, receiveImage, sidecarMissing } from './incoming-image';
import { MEDIA_EXTENSIONS, MEDIA_TYPES, type MediaExtension } from './media-types';
import { formatSidecar, type ImageDescription, type ImageSidecar, parseSidecar } from './sidecar';

export interface StoredImage {
  /** SHA-256 of the bytes. */
  readonly id: Digest;
  /** Where the image or video lies. */
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
  /**
   * Ids that begin so, also of what is left of an image, in no order.
   * @param beginning two hexadecimal digits or more
   * @throws Failure 'file-access'
   */
  idsFrom(beginning: string): Promise<readonly Digest[]>;
  /** Every image and everything that is left of one, in no order. @throws Failure 'file-access' */
  list(): Promise<readonly ListedImage[]>;
  /**
   * Removes an image and its sidecar, whichever of them there is.
   * @throws Failure 'image-missing' when there is neither, 'file-access'
   */
  delete(id: string): Promise<void>;
}

/** An image of a list; `failure` tells why it is not whole. */
export type ListedImage =
  | { readonly kind: 'whole'; readonly image: StoredImage }
  | { readonly kind: 'broken'; readonly id: Digest; readonly failure: Failure };

type Extension = MediaExtension | '.json';

/** The image first: a sidecar alone is listed as what is left, an image alone would have lost its description. */
const EXTENSIONS: readonly Extension[] = [...MEDIA_EXTENSIONS, '.json'];

/** Digits of an id that name the folder of its files. */
const FOLDER_DIGITS = 2;

const LISTED: ReadonlySet<string> = new Set(EXTENSIONS);

/**
 * Images as `<root>/sha256/ab/<64 hex>.png`, videos as `.avi`, with `<64 hex>.json` beside them. The extension is there so that every
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
    const path = this.#path(id, MEDIA_TYPES[sidecar.media_type]);
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
    // A sidecar alone describes nothing, so the image is looked for first.
    const path = await this.#find(digest);
    const text = await this.#read(digest, this.#path(digest, '.json'), sidecarMissing);
    return { id: digest, path, sidecar: parseSidecar(text.toString('utf8'), digest) };
  }

  async read(id: string): Promise<Uint8Array> {
    const digest = parseImageId(id);
    return this.#read(digest, await this.#find(digest), imageMissing);
  }

  async list(): Promise<readonly ListedImage[]> {
    const ids = new Set<Digest>();
    for (const folder of await this.#entries('sha256')) {
      for (const id of await this.#idsIn(folder)) ids.add(id);
    }
    return listImages(this, [...ids]);
  }

  async idsFrom(beginning: string): Promise<readonly Digest[]> {
    return (await this.#idsIn(beginning.slice(0, FOLDER_DIGITS))).filter((id) => id.startsWith(beginning));
  }

  async delete(id: string): Promise<void> {
    const digest = parseImageId(id);
    const paths = EXTENSIONS.map((extension) => this.#path(digest, extension));
    const found = await Promise.all(paths.map(isThere));
    if (!found.includes(true)) throw imageMissing(digest);
    try {
      for (const path of paths) await rm(path, { force: true });
    } catch (error) {
      throw fileFailure(error, 'The image cannot be deleted.', this.#path(digest, '.png'));
    }
  }

  /** @throws Failure 'file-access' */
  async #idsIn(folder: string): Promise<Digest[]> {
    const ids = new Set<Digest>();
    for (const name of await this.#entries('sha256', folder)) {
      const { name: stem, ext } = parse(name);
      if (isDigest(stem) && LISTED.has(ext)) ids.add(stem);
    }
    return [...ids];
  }

  /** @throws Failure 'file-access' */
  async #entries(...folder: readonly string[]): Promise<readonly string[]> {
    try {
      return await entriesOf(join(this.#root, ...folder));
    } catch (error) {
      throw fileFailure(error, 'The gallery cannot be read.', this.#root);
    }
  }

  /** @throws Failure 'image-missing', 'file-access' */
  async #find(id: Digest): Promise<string> {
    for (const extension of MEDIA_EXTENSIONS) {
      const path = this.#path(id, extension);
      if (await isThere(path)) return path;
    }
    throw imageMissing(id);
  }

  async #read(id: Digest, path: string, missing: (id: Digest) => Failure): Promise<Buffer> {
    try {
      return await readFile(path);
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT')) throw fileFailure(error, 'The gallery cannot be read.', path);
      throw missing(id);
    }
  }

  #path(id: Digest, extension: Extension): string {
    return join(this.#folder(id), `${id}${extension}`);
  }

  #folder(id: Digest): string {
    return join(this.#root, 'sha256', id.slice(0, FOLDER_DIGITS));
  }
}

/** @throws Failure('file-access') when nobody can tell */
async function isThere(path: string): Promise<boolean> {
  try {
    return await exists(path);
  } catch (error) {
    throw fileFailure(error, 'The gallery cannot be read.', path);
  }
}

/** Images that are read at the same time. */
const LISTED_AT_ONCE = 16;

/** Looks up every image of a store. What is not whole is listed with the reason. */
export async function listImages(store: ImageStore, ids: readonly Digest[]): Promise<readonly ListedImage[]> {
  const listed: ListedImage[] = [];
  for (let start = 0; start < ids.length; start += LISTED_AT_ONCE) {
    listed.push(...(await Promise.all(ids.slice(start, start + LISTED_AT_ONCE).map((id) => look(store, id)))));
  }
  return listed;
}

async function look(store: ImageStore, id: Digest): Promise<ListedImage> {
  try {
    return { kind: 'whole', image: await store.get(id) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'broken', id, failure: error };
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
