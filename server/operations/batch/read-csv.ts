import { BatchMistake } from './batch-mistake';

/** A cell with where it begins: UTF-16 offset into the text. */
export interface CsvCell {
  readonly text: string;
  readonly start: number;
}

/**
 * Reads comma-separated values as RFC 4180 has them, strictly: a cell in quotes may hold commas, line breaks and
 * doubled quotes; a quote anywhere else is a mistake. Lines end with LF or CRLF. A byte order mark, and lines with
 * nothing on them, are passed over.
 * @yields the cells of each line
 * @throws BatchMistake
 */
export function* readCsv(text: string): Generator<readonly CsvCell[]> {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    const line: CsvCell[] = [];
    for (;;) {
      const { cell, end } = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at);
      line.push(cell);
      at = end + 1;
      if (text[end] !== ',') {
        if (text[end] === '\r') at += 1;
        break;
      }
    }
    const [only, ...others] = line;
    const isEmpty = others.length === 0 && only?.text.trim() === '' && text[only.start] !== '"';
    if (!isEmpty) yield line;
  }
}

interface ReadCell {
  readonly cell: CsvCell;
  /** Offset of the comma or the line break behind it, or of the text's end. */
  readonly end: number;
}

const PLAIN_END = /[",\r\n]/g;

function plainCell(text: string, start: number): ReadCell {
  PLAIN_END.lastIndex = start;
  const end = PLAIN_END.exec(text)?.index ?? text.length;
  if (text[end] === '"') {
    throw new BatchMistake('A quote stands in the middle of a cell; put the whole cell in quotes, and double it.', end);
  }
  requireLineEnd(text, end);
  return { cell: { text: text.slice(start, end), start }, end };
}

function quotedCell(text: string, start: number): ReadCell {
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw new BatchMistake('A quote is opened here and never closed.', start);
    from = quote + 2;
    if (text[quote + 1] === '"') continue;
    const end = quote + 1;
    if (end < text.length && !/[,\r\n]/.test(text.charAt(end))) {
      throw new BatchMistake('Behind a closing quote only a comma or the end of the line may follow.', end);
    }
    requireLineEnd(text, end);
    return { cell: { text: text.slice(start + 1, quote).replaceAll('""', '"'), start }, end };
  }
}

function requireLineEnd(text: string, end: number): void {
  if (text[end] === '\r' && text[end + 1] !== '\n') {
    throw new BatchMistake('Lines must end with LF or CRLF; here is a carriage return alone.', end);
  }
}
