import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { type ByteRange, type ByteRanges, NO_RANGES, withRange } from './byte-ranges';

const offset = z.int().min(0);

/**
 * The journal of a partial: one JSON object a line behind its checksum, appended as the transfer goes. `written`
 * counts after each write, `synced` only after the data reached the disk; a torn last line is ignored.
 */
const journalLine = z.discriminatedUnion('type', [
  /** A content was begun: what came before is void. */
  z.object({
    type: z.literal('begun'),
    source: z.string(),
    validator: z.string().nullable(),
    total: offset.nullable()
  }),
  /** Lines after this one were written during this boot of the machine. */
  z.object({ type: z.literal('boot'), id: z.string() }),
  z.object({ type: z.literal('written'), start: offset, end: offset }),
  /** All that is on disk for certain, as pairs of start and end. */
  z.object({ type: z.literal('synced'), ranges: z.array(z.tuple([offset, offset])) })
]);

export type JournalLine = z.infer<typeof journalLine>;

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

/**
 * Reads a journal. In the boot that wrote it, every written byte counts; after another boot only those that were
 * synced, for a power cut may have lost the rest.
 */
export function readJournal(text: string, currentBoot: string): JournalState {
  let content: BegunContent | null = null;
  let written: ByteRanges = [];
  let synced: ByteRanges = [];
  let boot: string | undefined;
  for (const line of completeLines(text)) {
    switch (line.type) {
      case 'begun':
        content = { source: line.source, validator: line.validator, total: line.total };
        written = [];
        synced = [];
        break;
      case 'boot':
        if (boot !== undefined && boot !== line.id) written = synced;
        boot = line.id;
        break;
      case 'written':
        written = withRange(written, line);
        break;
      case 'synced':
        synced = line.ranges.reduce((ranges, [start, end]) => withRange(ranges, { start, end }), NO_RANGES);
        break;
    }
  }
  return { content, ranges: boot === currentBoot ? written : synced };
}

/** The line that says what is on disk for certain. */
export function syncedLine(ranges: ByteRanges): JournalLine {
  return { type: 'synced', ranges: ranges.map(({ start, end }: ByteRange): [number, number] => [start, end]) };
}

/** Without a declared digest nothing else would tell a damaged line from a true one. */
function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function completeLines(text: string): JournalLine[] {
  const lines: JournalLine[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const [sum, ...rest] = line.split(' ');
    const content = rest.join(' ');
    const parsed = journalLine.safeParse(sum === checksum(content) ? parseJson(content) : undefined);
    // After a line that makes no sense nothing can be relied on.
    if (!parsed.success) break;
    lines.push(parsed.data);
  }
  return lines;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
