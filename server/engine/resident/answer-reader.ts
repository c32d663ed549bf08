import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../shared/failure';

/** Where the images of an answer go, and how much of them there may be. */
export interface ImageFolder {
  /** Absolute path. */
  readonly folder: string;
  /** The most images that are taken. */
  readonly images: number;
}

/** What was read of an answer. */
export interface ReadAnswer {
  /** The JSON, in which every image is an empty string. */
  readonly json: unknown;
  /** Absolute paths of the decoded images, in the order of the answer. */
  readonly files: readonly string[];
}

/** Images are base64 in this field. */
const IMAGE_FIELD = /"b64_json"\s*:\s*"/;

/** Whole groups of four; whether anything follows the padding is left to whoever decodes the image. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Room for a beginning of the field that the rest is still to come of, in characters. */
const KEPT_CHARACTERS = 64;

/** The most that an answer may hold besides its images, in bytes. */
const MOST_TEXT_BYTES = 1024 * 1024;

/** The largest image that is taken, in bytes: as large as the most pixels that the gallery decodes. */
const MOST_IMAGE_BYTES = 256 * 1024 * 1024;

/**
 * Reads an answer of sd-server as it arrives. Images are decoded into files on the way: a batch of large ones would
 * otherwise be held and parsed as one text.
 * @throws Failure('bad-response') when it is too large, no JSON, or an image is no base64
 */
export async function readAnswer(body: AsyncIterable<Uint8Array>, target?: ImageFolder): Promise<ReadAnswer> {
  const reader = new AnswerReader(target);
  try {
    for await (const chunk of body) await reader.take(chunk);
    return { json: reader.end(), files: reader.files };
  } finally {
    await reader.close();
  }
}

class AnswerReader {
  readonly files: string[] = [];
  #text = '';
  #pending = '';
  #image: OpenImage | undefined;

  constructor(private readonly target: ImageFolder | undefined) {}

  async take(chunk: Uint8Array): Promise<void> {
    this.#pending += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    while (await (this.#image ? this.#readImage(this.#image) : this.#readText()));
  }

  end(): unknown {
    if (this.#image) throw bad('it ends within an image');
    this.#keepText(this.#pending);
    try {
      return JSON.parse(Buffer.from(this.#text, 'latin1').toString('utf8'));
    } catch (cause) {
      throw bad('it is no JSON', cause);
    }
  }

  async close(): Promise<void> {
    await this.#image?.close();
  }

  /** Whether an image was begun. */
  async #readText(): Promise<boolean> {
    const match = this.target && IMAGE_FIELD.exec(this.#pending);
    const end = match ? match.index + match[0].length : Math.max(0, this.#pending.length - KEPT_CHARACTERS);
    this.#keepText(this.#pending.slice(0, end));
    this.#pending = this.#pending.slice(end);
    if (!match || !this.target) return false;
    if (this.files.length === this.target.images) throw bad('it holds more images than were asked for');
    const path = join(this.target.folder, `answer_${this.files.length}.png`);
    this.#image = await OpenImage.create(path);
    this.files.push(path);
    return true;
  }

  /** Whether the image is over. */
  async #readImage(image: OpenImage): Promise<boolean> {
    const end = this.#pending.indexOf('"');
    await image.write(end < 0 ? this.#pending : this.#pending.slice(0, end), end >= 0);
    this.#pending = end < 0 ? '' : this.#pending.slice(end);
    if (end < 0) return false;
    await image.close();
    this.#image = undefined;
    return true;
  }

  #keepText(text: string): void {
    this.#text += text;
    if (this.#text.length > MOST_TEXT_BYTES) throw bad('it is too long');
  }
}

/** An image on its way from base64 into a file. */
class OpenImage {
  #undecoded = '';
  #bytes = 0;

  private constructor(private readonly file: Awaited<ReturnType<typeof open>>) {}

  static async create(path: string): Promise<OpenImage> {
    return new OpenImage(await open(path, 'wx'));
  }

  async write(base64: string, isLast: boolean): Promise<void> {
    const text = this.#undecoded + base64;
    const usable = isLast ? text.length : text.length - (text.length % 4);
    this.#undecoded = text.slice(usable);
    const piece = text.slice(0, usable);
    if (usable % 4 !== 0 || !BASE64.test(piece)) throw bad('an image is no base64');
    this.#bytes += (usable / 4) * 3;
    if (this.#bytes > MOST_IMAGE_BYTES) throw bad('an image is too large');
    await this.file.write(Buffer.from(piece, 'base64'));
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function bad(reason: string, cause?: unknown): Failure {
  return new Failure('bad-response', `The answer of sd-server cannot be used: ${reason}.`, { cause });
}
