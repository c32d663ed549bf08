import { Buffer, isUtf8 } from 'node:buffer';

/** The texts in which image generators describe how an image was made. */
const KEYWORDS = ['parameters', 'prompt', 'workflow'] as const;

/** `parameters`: text of sd-cli, A1111 and their kin; `prompt`, `workflow`: the two graphs of ComfyUI. */
export type Keyword = (typeof KEYWORDS)[number];

/** The longest text that is read, in bytes before decoding and after decompression. */
export const LONGEST_TEXT_BYTES = 4 * 1024 * 1024;

/** The texts of one image. The first of a keyword counts, and no other is even looked at: that bounds the work. */
export class TextCollection {
  readonly #texts = new Map<Keyword, string>();
  readonly #seen = new Set<Keyword>();

  get(keyword: Keyword): string | undefined {
    return this.#texts.get(keyword);
  }

  /** @param text is asked for at most once a keyword; undefined when it cannot be read */
  offer(keyword: string, text: () => string | undefined): void {
    const known = KEYWORDS.find((candidate) => candidate === keyword);
    if (known === undefined || this.#seen.has(known)) return;
    this.#seen.add(known);
    const read = text();
    if (read !== undefined && read.length <= LONGEST_TEXT_BYTES) this.#texts.set(known, read);
  }
}

/** UTF-8 where it is valid, as sd-cli writes whatever the format says; else Latin-1, as the PNG format says. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(isUtf8(buffer) ? 'utf8' : 'latin1');
}
