import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryDurably, writeFileDurably } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { bootId, isProvedDead, nonce, ownerTag, ownIdentity, parseOwnerTag } from '../platform/process-identity';
import { isErrorWithCode } from '../platform/system-error';
import { type BegunContent, formatJournalLine, type JournalLine, type JournalState, readJournal } from './journal';

/** The data reaches the disk at least every so many bytes, and so often in ms. */
const SYNC_BYTES = 64 * 1024 * 1024;
const SYNC_MS = 5000;

/** Marks a partial that its owner let go; anybody may take it over. */
const FREE = 'free';

/** Names the content that a partial is for: its digest when one is declared, else where it comes from. */
export function partialKey(contentName: string): string {
  return createHash('sha256').update(contentName).digest('hex').slice(0, 32);
}

/**
 * A transfer's data and journal in a folder that belongs to one process by its name. An abandoned one is taken over
 * by a rename, which one claimant wins.
 */
export class PartialDownload {
  private state: JournalState;
  private syncedBytes: number;
  private syncedAt: number;
  private begunAnew = false;

  private constructor(
    readonly folder: string,
    private readonly freeFolder: string,
    private readonly data: FileHandle,
    private readonly journal: FileHandle,
    state: JournalState,
    private readonly now: () => number
  ) {
    this.state = state;
    this.syncedBytes = state.bytes;
    this.syncedAt = now();
  }

  /**
   * Takes over an abandoned partial of a content, else starts a new one.
   * @param partials folder of all partials
   */
  static async claim(partials: string, key: string, now: () => number): Promise<PartialDownload> {
    await makeDirectoryDurably(partials);
    const unique = nonce();
    const folder = join(partials, `${key}.${ownerTag(await ownIdentity(), unique)}`);
    if (!(await takeOver(partials, key, folder))) await mkdir(folder);
    const data = await open(dataPath(folder), constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      const state = await recordedState(join(folder, JOURNAL), (await data.stat()).size);
      await data.truncate(state.bytes);
      if (state.bytes > 0) await data.datasync();
      await writeFileDurably(join(folder, JOURNAL), freshJournal(state, await bootId()));
      const journal = await open(join(folder, JOURNAL), 'a');
      return new PartialDownload(folder, join(partials, `${key}.${FREE}~${unique}`), data, journal, state, now);
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  /** What was begun, or null. */
  get content(): BegunContent | null {
    return this.state.content;
  }

  /** Bytes from the start that are on disk. */
  get bytes(): number {
    return this.state.bytes;
  }

  /** Whether this process began the content from its first byte. */
  get wasRestarted(): boolean {
    return this.begunAnew;
  }

  get dataPath(): string {
    return dataPath(this.folder);
  }

  /** Begins a content from its first byte; what was there is void. */
  async begin(content: BegunContent): Promise<void> {
    await this.record({ type: 'begun', ...content });
    await this.data.truncate(0);
    this.state = { content, bytes: 0 };
    this.syncedBytes = 0;
    this.begunAnew = true;
  }

  /** Writes the next bytes. @param chunk at most 1 MiB */
  async append(chunk: Uint8Array): Promise<void> {
    await writeFully(this.data, chunk, this.state.bytes);
    this.state = { ...this.state, bytes: this.state.bytes + chunk.length };
    await this.record({ type: 'written', bytes: this.state.bytes });
    const due = this.state.bytes - this.syncedBytes >= SYNC_BYTES || this.now() - this.syncedAt >= SYNC_MS;
    if (due) await this.sync();
  }

  /** Lets go of a partial that can be resumed; one without a byte is removed. */
  async release(): Promise<void> {
    if (this.state.bytes === 0) return this.remove();
    await this.sync();
    await this.close();
    await rename(this.folder, this.freeFolder);
  }

  /** Closes the files; the data is complete and about to be taken into the store. */
  async close(): Promise<void> {
    await this.data.close();
    await this.journal.close();
  }

  /** Removes the partial with its data. */
  async remove(): Promise<void> {
    await this.close().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  private async sync(): Promise<void> {
    await this.data.datasync();
    await this.record({ type: 'synced', bytes: this.state.bytes });
    this.syncedBytes = this.state.bytes;
    this.syncedAt = this.now();
  }

  private async record(line: JournalLine): Promise<void> {
    await this.journal.appendFile(formatJournalLine(line));
  }
}

const JOURNAL = 'journal';

/** What can be relied on; a journal that claims more than the data holds counts for nothing. */
async function recordedState(journal: string, dataBytes: number): Promise<JournalState> {
  const nothing: JournalState = { content: null, bytes: 0 };
  try {
    const recorded = readJournal(await readFile(journal, 'utf8'), await bootId());
    return recorded.content && recorded.bytes <= dataBytes ? recorded : nothing;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return nothing;
    throw error;
  }
}

/** A journal that says what counts, for this boot; the data was synced before. */
function freshJournal({ content, bytes }: JournalState, boot: string): string {
  const lines: JournalLine[] = [{ type: 'boot', id: boot }];
  if (content) lines.push({ type: 'begun', ...content }, { type: 'synced', bytes }, { type: 'written', bytes });
  return lines.map(formatJournalLine).join('');
}

function dataPath(folder: string): string {
  return join(folder, 'data');
}

/** Takes one abandoned partial of the content by renaming it; false when there is none to be had. */
async function takeOver(partials: string, key: string, target: string): Promise<boolean> {
  for (const entry of await entriesOf(partials)) {
    if (!entry.startsWith(`${key}.`)) continue;
    const tag = entry.slice(key.length + 1);
    if (!(await isAbandoned(tag))) continue;
    try {
      await rename(join(partials, entry), target);
      return true;
    } catch (error) {
      // Another claimant was faster.
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
  }
  return false;
}

async function isAbandoned(tag: string): Promise<boolean> {
  if (tag.startsWith(`${FREE}~`)) return true;
  const owner = parseOwnerTag(tag);
  return owner !== undefined && isProvedDead(owner);
}

async function writeFully(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
