import type { Failure } from '../../shared/failure';
import { visibleText } from '../../shared/file-name';

/** The streams and flags that output depends on. */
export interface ConsoleOptions {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

type Colour = 'red' | 'green' | 'yellow' | 'dim';

const CODES: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33, dim: 2 };

/** What {@link Console.paint} writes around a text. */
const PAINT = new RegExp(`(\u001b\\[(?:0|${Object.values(CODES).join('|')})m)`);

/** Answers go to standard output, everything else to standard error; one progress line on a terminal only. */
export class Console {
  readonly json: boolean;
  private progressShown = false;

  constructor(private readonly options: ConsoleOptions) {
    this.json = options.json;
  }

  /** A line of the answer; nothing in JSON mode. */
  answer(line: string): void {
    if (this.json) return;
    this.clearProgress();
    this.options.out.write(`${this.shown(line)}\n`);
  }

  /** The whole answer, or one object of a stream, in JSON mode; nothing otherwise. */
  document(value: unknown): void {
    if (this.json) this.options.out.write(`${JSON.stringify(value)}\n`);
  }

  /** An answer that a command was asked to give as data, whatever mode the rest is in. */
  raw(value: unknown): void {
    this.options.out.write(`${JSON.stringify(value)}\n`);
  }

  /** An answer that is a file's content, whatever mode the rest is in. */
  text(content: string): void {
    this.clearProgress();
    this.options.out.write(content);
  }

  /** A remark for people that is no part of the answer. */
  remark(line: string): void {
    if (this.json || this.options.quiet) return;
    this.clearProgress();
    this.options.err.write(`${this.shown(line)}\n`);
  }

  /** Replaces the line of progress, on a terminal. */
  progress(text: string): void {
    const { err, quiet } = this.options;
    if (this.json || quiet || err.isTTY !== true) return;
    const line = visibleText(text);
    const width = (err.columns ?? 80) - 1;
    err.write(`\r\u001b[K${line.length > width ? `${line.slice(0, width - 1)}…` : line}`);
    this.progressShown = true;
  }

  /** A failed command: the sentence, its subject, and what to do. */
  failure(failure: Failure): void {
    this.document({ error: failure.toJSON() });
    this.complaint(failure);
  }

  /** A failure for people, which is not the whole answer; nothing in JSON mode. */
  complaint(failure: Failure): void {
    if (this.json) return;
    this.clearProgress();
    const { message, subject, nextStep } = failure;
    const about = subject === undefined || message.includes(subject) ? '' : `\n  ${visibleText(subject)}`;
    const next = nextStep === undefined ? '' : `\n  ${visibleText(nextStep)}`;
    // The parser of arguments explains in several lines.
    const sentence = message.split('\n').map(visibleText).join('\n');
    this.options.err.write(`${this.paint('red', 'error')}: ${sentence}${about}${next}\n`);
  }

  paint(colour: Colour, text: string): string {
    return this.options.color ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
  }

  clearProgress(): void {
    if (!this.progressShown) return;
    this.options.err.write('\r\u001b[K');
    this.progressShown = false;
  }

  /** Names in a line are whatever their publisher chose; of what moves or colours text, only our colours stay. */
  private shown(line: string): string {
    if (!this.options.color) return visibleText(line);
    const pieces = line.split(PAINT);
    return pieces.map((piece, index) => (index % 2 === 0 ? visibleText(piece) : piece)).join('');
  }
}
