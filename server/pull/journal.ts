import * as z from 'zod';

/**
 * The journal of a partial: one JSON object a line, appended as the transfer goes. `written` counts after each
 * write, `synced` only after the data reached the disk; a torn last line is ignored.
 */
const journalLine = z.discriminatedUnion('type', [
  /** A content was begun: what came before is void. */
  z.object({
    type: z.literal('begun'),
    source: z.string(),
    validator: z.string().nullable(),
    total: z.int().min(0).nullable()
  }),
  /** Lines after this one were written during another boot of the machine. */
  z.object({ type: z.literal('boot'), id: z.string() }),
  z.object({ type: z.literal('written'), bytes: z.int().min(0) }),
  z.object({ type: z.literal('synced'), bytes: z.int().min(0) })
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
  /** Bytes from the start that can be relied on. */
  readonly bytes: number;
}

export function formatJournalLine(line: JournalLine): string {
  return `${JSON.stringify(line)}\n`;
}

/**
 * Reads a journal. In the boot that wrote it, every written byte counts; after another boot only those that were
 * synced, for a power cut may have lost the rest.
 */
export function readJournal(text: string, currentBoot: string): JournalState {
  let content: BegunContent | null = null;
  let written = 0;
  let synced = 0;
  let boot: string | undefined;
  for (const line of completeLines(text)) {
    switch (line.type) {
      case 'begun':
        content = { source: line.source, validator: line.validator, total: line.total };
        written = 0;
        synced = 0;
        break;
      case 'boot':
        if (boot !== undefined && boot !== line.id) written = synced;
        boot = line.id;
        break;
      case 'written':
        written = line.bytes;
        break;
      case 'synced':
        synced = line.bytes;
        break;
    }
  }
  return { content, bytes: boot === currentBoot ? written : Math.min(synced, written) };
}

function completeLines(text: string): JournalLine[] {
  const lines: JournalLine[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = journalLine.safeParse(parseJson(line));
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
