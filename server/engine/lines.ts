/** The longest line that is kept, in UTF-16 units; the rest of it is dropped. */
const LONGEST_LINE = 4096;

/** Ends of lines. sd-cli ends a progress bar by erasing the rest of the line, and begins the next with \r. */
// oxlint-disable-next-line no-control-regex -- terminal output is made of control characters
const LINE_END = /\r|\n|\x1b\[K/;

/** Escape sequences for colours and the cursor, then whatever control characters are left. */
// oxlint-disable-next-line no-control-regex -- see above
const CONTROLS = /\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g;

/**
 * Makes lines of a program's bytes as they arrive: invalid UTF-8 is replaced, escape sequences are removed, empty
 * lines are left out, and memory stays bounded whatever comes.
 */
export class LineSplitter {
  readonly #sink: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #pending = '';

  constructor(sink: (line: string) => void) {
    this.#sink = sink;
  }

  /** Takes the next bytes; every line that they complete goes to the sink. */
  write(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Hands out what came after the last end of line. */
  end(): void {
    this.#take(this.#decoder.decode());
    this.#emit(this.#pending);
    this.#pending = '';
  }

  #take(text: string): void {
    const pieces = (this.#pending + text).split(LINE_END);
    const rest = pieces.pop() ?? '';
    for (const piece of pieces) this.#emit(piece);
    // An escape sequence may be cut in two, so some more than the longest line is kept.
    this.#pending = rest.length > 2 * LONGEST_LINE ? rest.slice(0, LONGEST_LINE) + rest.slice(-8) : rest;
  }

  #emit(piece: string): void {
    const line = piece.slice(0, LONGEST_LINE).replace(CONTROLS, '');
    if (line !== '') this.#sink(line);
  }
}
