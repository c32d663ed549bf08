/** A place in a text as editors count: from zero, `character` in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** Turns offsets of one text into positions; lines end with LF, CRLF or CR. */
export class LineIndex {
  private readonly starts: readonly number[];
  private readonly length: number;

  constructor(text: string) {
    this.starts = [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), (match) => match.index + match[0].length)];
    this.length = text.length;
  }

  /** The position of a UTF-16 offset; offsets outside of the text count as its beginning or end. */
  positionAt(offset: number): Position {
    const within = Math.max(0, Math.min(offset, this.length));
    const line = this.lineOf(within);
    return { line, character: within - (this.starts[line] ?? 0) };
  }

  /** The last line that starts at or before an offset. */
  private lineOf(offset: number): number {
    let line = 0;
    let behind = this.starts.length;
    while (behind - line > 1) {
      const middle = Math.floor((line + behind) / 2);
      if ((this.starts[middle] ?? 0) <= offset) line = middle;
      else behind = middle;
    }
    return line;
  }
}
