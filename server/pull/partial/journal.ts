import { crc32 } from 'node:zlib';
import { type ByteRange, type ByteRanges, NO_RANGES, withRange } from './byte-ranges';

/**
 * The journal of a partial: one JSON object a line behind its checksum, appended as the transfer goes. `written`
 * counts after each write, `synced` only after the data reached the disk; a torn last line is ignored.
 */
export type JournalLine =
  /** A content was begun: what came before is void. */
  | ({ readonly type: 'begun' } & BegunContent)
  /** Lines after this one were written during this boot of the machine. */
  | { readonly type: 'boot'; readonly id: string }
  | ({ readonly type: 'written' } & ByteRange)
  /** All that is on disk for certain, as pairs of start and end. */
  | { readonly type: 'synced'; readonly ranges: readonly (readonly [number, number])[] };

/** What is known of a content that was begun. */
export interface BegunContent {
  /** Identity of the source that it came from. */
  readonly source: string;
  /** Strong validator, or null. */
  readonly validator: string | null;
  /** Bytes of the whole content, or null. */
  readonly total: number | null;
}

/** What a journal says when it is read again. */
export interface JournalState {
  /** null: nothing was begun. */
  readonly content: BegunContent | null;
  /** The bytes that can be relied on. */
  readonly ranges: ByteRanges;
}

export function formatJournalLine(line: JournalLine): string {
  const text = JSON.stringify(line);
  return `${checksum(text)} ${text}\n`;
}

/** Reads a journal as it grows: a large transfer has a line for each MiB, which nobody wants to read again and again. */
export class JournalReader {
  private content: BegunContent | null = null;
  private written: ByteRanges = NO_RANGES;
  private synced: ByteRanges = NO_RANGES;
  private boot: string | undefined;
  private rest = '';
  private isBroken = false;

  /** Takes what follows what was taken before; it may end within a line. */
  feed(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = this.isBroken ? undefined : parseLine(line);
      // After a line that makes no sense nothing can be relied on.
      if (!parsed) this.isBroken = true;
      else this.take(parsed);
    }
  }

  /**
   * What can be relied on. In the boot that wrote the journal, every written byte counts; after another boot only those
   * that were synced, for a power cut may have lost the rest.
   */
  state(currentBoot: string): JournalState {
    return { content: this.content, ranges: this.boot === currentBoot ? this.written : this.synced };
  }

  private take(line: JournalLine): void {
    switch (line.type) {
      case 'begun':
        this.content = { source: line.source, validator: line.validator, total: line.total };
        this.written = NO_RANGES;
        this.synced = NO_RANGES;
        break;
      case 'boot':
        if (this.boot !== undefined && this.boot !== line.id) this.written = this.synced;
        this.boot = line.id;
        break;
      case 'written':
        this.written = withRange(this.written, line);
        break;
      case 'synced':
        this.synced = line.ranges.reduce((ranges, [start, end]) => withRange(ranges, { start, end }), NO_RANGES);
        break;
    }
  }
}

/** Reads a whole journal, as {@link JournalReader}. */
export function readJournal(text: string, currentBoot: string): JournalState {
  const reader = new JournalReader();
  reader.feed(text);
  return reader.state(currentBoot);
}

/** The line that says what is on disk for certain. */
export function syncedLine(ranges: ByteRanges): JournalLine {
  return { type: 'synced', ranges: ranges.map(({ start, end }: ByteRange): [number, number] => [start, end]) };
}

/** Without a declared digest nothing else would tell a damaged line from a true one. */
function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function parseLine(line: string): JournalLine | undefined {
  const space = line.indexOf(' ');
  const content = line.slice(space + 1);
  return space > 0 && line.slice(0, space) === checksum(content) ? journalLineOf(parseJson(content)) : undefined;
}

/** By hand: with a schema, tens of thousands of lines would hold up the process that reads them. */
function journalLineOf(value: unknown): JournalLine | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  switch (value.type) {
    case 'begun': {
      if (!('source' in value && 'validator' in value && 'total' in value)) return undefined;
      const { source, validator, total } = value;
      const isRight = typeof source === 'string' && (validator === null || typeof validator === 'string');
      return isRight && (total === null || isOffset(total)) ? { type: 'begun', source, validator, total } : undefined;
    }
    case 'boot':
      return 'id' in value && typeof value.id === 'string' ? { type: 'boot', id: value.id } : undefined;
    case 'written': {
      if (!('start' in value && 'end' in value)) return undefined;
      const { start, end } = value;
      return isOffset(start) && isOffset(end) ? { type: 'written', start, end } : undefined;
    }
    case 'synced': {
      const pairs = 'ranges' in value && Array.isArray(value.ranges) ? value.ranges.map(pairOf) : [undefined];
      return pairs.every((pair) => pair !== undefined) ? { type: 'synced', ranges: pairs } : undefined;
    }
    default:
      return undefined;
  }
}

function pairOf(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [start, end]: readonly unknown[] = value;
  return isOffset(start) && isOffset(end) ? [start, end] : undefined;
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
