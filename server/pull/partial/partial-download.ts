import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryDurably, renamePatiently, writeFileDurably } from '../../platform/durable-files';
import { bootId } from '../../platform/process-identity';
import { errorCode, isErrorWithCode } from '../../platform/system-error';
import type { Source } from '../source';
import { type ByteRange, type ByteRanges, contiguousBytes, countBytes, withRange } from './byte-ranges';
import {
  type BegunContent,
  formatJournalLine,
  type JournalLine,
  type JournalState,
  readJournal,
  syncedLine
} from './journal';
import { dataPath, journalPath, ownFolders, takeOver } from './partial-folders';

/** The data reaches the disk at least every so many bytes, and so often in ms. */
const SYNC_BYTES = 64 * 1024 * 1024;
const SYNC_MS = 5000;

/**
 * A transfer's data and journal in a folder that belongs to one process by its name. An abandoned one is taken over
 * by a rename, which one claimant wins.
 */
export class PartialDownload {
  private state: JournalState;
  /** What is on disk for certain. */
  private synced: ByteRanges;
  private syncedBytes: number;
  private syncedAt: number;
  private begunAnew = false;
  private syncing: Promise<void> | undefined;
  private syncFault: SyncFault | undefined;

  private constructor(
    readonly folder: string,
    private readonly freeFolder: string,
    private data: FileHandle,
    private readonly journal: FileHandle,
    state: JournalState,
    private readonly elapsed: () => number
  ) {
    this.state = state;
    this.synced = state.ranges;
    this.syncedBytes = countBytes(state.ranges);
    this.syncedAt = elapsed();
  }

  /**
   * Takes over an abandoned partial of a content, else starts a new one.
   * @param partials folder of all partials
   * @param elapsed milliseconds that only ever grow
   */
  static async claim(partials: string, key: string, elapsed: () => number): Promise<PartialDownload> {
    await makeDirectoryDurably(partials);
    const { owned: folder, free } = await ownFolders(partials, key);
    if (!(await takeOver(partials, key, folder, recordedBytes))) await mkdir(folder);
    let data: FileHandle | undefined;
    try {
      data = await openData(folder);
      const state = await stateOnDisk(folder, data);
      await writeFileDurably(journalPath(folder), freshJournal(state, await bootId()));
      const journal = await open(journalPath(folder), 'a');
      return new PartialDownload(folder, free, data, journal, state, elapsed);
    } catch (error) {
      await data?.close();
      await renamePatiently(folder, free);
      throw error;
    }
  }

  /** What was begun, or null. */
  get content(): BegunContent | null {
    return this.state.content;
  }

  /** What is on disk. */
  get ranges(): ByteRanges {
    return this.state.ranges;
  }

  /** Bytes that are on disk, with or without gaps. */
  get bytes(): number {
    return countBytes(this.state.ranges);
  }

  /** Bytes from the first one that are on disk without a gap. */
  get contiguousBytes(): number {
    return contiguousBytes(this.state.ranges);
  }

  /** Whether every byte of the content is on disk. */
  get isComplete(): boolean {
    return this.bytes === this.content?.total;
  }

  /** Whether what was written last may be lost, for the system could not bring it to the disk. */
  get couldNotSync(): boolean {
    return this.syncFault !== undefined;
  }

  /** Whether this process began the content from its first byte. */
  get wasRestarted(): boolean {
    return this.begunAnew;
  }

  get dataPath(): string {
    return dataPath(this.folder);
  }

  get journalPath(): string {
    return journalPath(this.folder);
  }

  /** Begins a content from its first byte; what was there is void. No write may be under way. */
  async begin(content: BegunContent): Promise<void> {
    await this.syncing;
    await this.record({ type: 'begun', ...content });
    // Else a power cut could bring back what was said of the content before, for the data of this one.
    if (this.state.content !== null) await this.journal.datasync();
    await this.data.truncate(0);
    if (content.total !== null) await this.data.truncate(content.total);
    this.state = { content, ranges: [] };
    this.synced = [];
    this.syncedBytes = 0;
    this.begunAnew = true;
  }

  /**
   * Begins a content that its source can share the blocks of: all of it is there at once.
   * @returns false when it cannot; nothing has begun then
   */
  async beginAsClone({ identity, clone }: Source): Promise<boolean> {
    const target = join(this.folder, CLONE);
    const content = await clone?.(target);
    if (!content) return false;
    // It has the mode of its original, which may be read-only.
    await chmod(target, 0o644);
    await this.begin({ source: identity, ...content });
    await this.data.close();
    await rename(target, this.dataPath);
    this.data = await open(this.dataPath, constants.O_RDWR);
    await this.count({ start: 0, end: content.total });
    return true;
  }

  /** Writes bytes at an offset; several connections may, side by side. @param chunk at most 1 MiB */
  async write(chunk: Uint8Array, start: number): Promise<void> {
    await writeFully(this.data, chunk, start);
    await this.count({ start, end: start + chunk.length });
    this.syncWhenDue();
  }

  /** Counts bytes that somebody else wrote and noted in the journal. */
  countLanded(range: ByteRange): void {
    this.hold(range);
    this.syncWhenDue();
  }

  /** Writes bytes that do not count before somebody proves them. @param chunk at most 1 MiB */
  async place(chunk: Uint8Array, start: number): Promise<void> {
    await writeFully(this.data, chunk, start);
  }

  /** Counts bytes that are in the data from now on. */
  async count(range: ByteRange): Promise<void> {
    this.hold(range);
    await this.record({ type: 'written', ...range });
  }

  /** Says anew what the data holds, and of which content; all else that was counted is void. */
  async recount(content: BegunContent, ranges: ByteRanges): Promise<void> {
    await this.syncing;
    await this.record({ type: 'begun', ...content });
    if (content.total !== null) await this.data.truncate(content.total);
    this.state = { content, ranges: [] };
    for (const range of ranges) await this.count(range);
    await this.sync();
  }

  /** Lets go of a partial that can be resumed, with what it has for certain; one without a byte is removed. */
  async release(): Promise<void> {
    await this.syncing;
    if (this.bytes > 0 && !this.syncFault) await this.syncInBackground();
    try {
      if (this.syncFault?.isOfData) await this.fallBack();
    } catch {
      return this.remove();
    }
    if (this.bytes === 0) return this.remove();
    await this.close();
    await this.letGo();
  }

  /**
   * Brings to the disk what was written last. Who opens the data later is not told of what the disk did not take: the
   * system says so once, some volumes to whoever closes the file.
   * @throws the fault of a sync
   */
  async requireTaken(): Promise<void> {
    await this.syncing;
    if (!this.syncFault) await this.syncInBackground();
    if (this.syncFault?.isOfData) throw this.syncFault.error;
  }

  /** Leaves a partial whose files are closed to whoever wants it. */
  async letGo(): Promise<void> {
    // The thread that hashed may not have closed the data yet, which matters on Windows.
    await renamePatiently(this.folder, this.freeFolder);
  }

  /** Closes the files; the data is complete and about to be taken into the store. */
  async close(): Promise<void> {
    await this.syncing;
    await this.data.close();
    await this.journal.close();
  }

  /** Removes the partial with its data. */
  async remove(): Promise<void> {
    await this.close().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  private hold(range: ByteRange): void {
    this.state = { ...this.state, ranges: withRange(this.state.ranges, range) };
  }

  /** Lets what was written reach the disk from time to time. */
  private syncWhenDue(): void {
    if (this.syncFault) throw this.syncFault.error;
    const due = this.bytes - this.syncedBytes >= SYNC_BYTES || this.elapsed() - this.syncedAt >= SYNC_MS;
    // Writing goes on meanwhile; waiting for the disk would halve the rate of a fast connection.
    if (due) this.syncing ??= this.syncInBackground();
  }

  /** A fault is told by the next write. */
  private async syncInBackground(): Promise<void> {
    let isOfData = true;
    try {
      await this.sync(() => (isOfData = false));
    } catch (error) {
      this.syncFault = { error, isOfData };
    } finally {
      this.syncing = undefined;
    }
  }

  /** @param onTaken called when the data is on disk, before the journal says so */
  private async sync(onTaken?: () => void): Promise<void> {
    // Taken before: what other connections write meanwhile is not certain to be on disk.
    const { ranges } = this.state;
    this.syncedBytes = countBytes(ranges);
    this.syncedAt = this.elapsed();
    await this.data.datasync();
    this.synced = ranges;
    onTaken?.();
    await this.record(syncedLine(ranges));
  }

  /**
   * After a fault only what was synced before counts, also in this boot: the system tells of lost data once, and reads
   * as if they were there. No write may be under way.
   */
  private async fallBack(): Promise<void> {
    const { content } = this.state;
    this.state = { content, ranges: [] };
    if (content === null) return;
    await this.record({ type: 'begun', ...content });
    for (const range of this.synced) await this.count(range);
    await this.record(syncedLine(this.synced));
  }

  private async record(line: JournalLine): Promise<void> {
    await this.journal.appendFile(formatJournalLine(line));
  }
}

interface SyncFault {
  readonly error: unknown;
  /** Whether written data may be lost; else they are on disk, and only the journal could not be told so. */
  readonly isOfData: boolean;
}

/** What cannot be a partial makes room for a new one. */
async function openData(folder: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  try {
    return await open(dataPath(folder), flags, 0o644);
  } catch (error) {
    // Whoever died on the way into the store had made it read-only.
    if (isErrorWithCode(error, 'EACCES', 'EPERM')) await chmod(dataPath(folder), 0o644);
    else if (isErrorWithCode(error, 'EISDIR', 'ENOTDIR', 'ELOOP')) await emptied(folder);
    else throw error;
    return open(dataPath(folder), flags, 0o644);
  }
}

async function emptied(folder: string): Promise<void> {
  await rm(folder, { recursive: true });
  await mkdir(folder);
}

/** A clone on its way to become the data. */
const CLONE = 'clone';

/** What can be relied on, once it is on disk; of what the system cannot bring there, what was there before. */
async function stateOnDisk(folder: string, data: FileHandle): Promise<JournalState> {
  const { size } = await data.stat();
  const state = await recordedState(journalPath(folder), size);
  try {
    if (state.ranges.length > 0) await data.datasync();
    return state;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return recordedState(journalPath(folder), size, NO_BOOT);
  }
}

/** After this one only that counts which was synced. */
const NO_BOOT = '';

/** What can be relied on; a journal that claims more than the data or the content holds counts for nothing. */
async function recordedState(journal: string, dataBytes: number, boot?: string): Promise<JournalState> {
  const nothing: JournalState = { content: null, ranges: [] };
  try {
    const recorded = readJournal(await readFile(journal, 'utf8'), boot ?? (await bootId()));
    const claimed = recorded.ranges.at(-1)?.end ?? 0;
    const most = Math.min(dataBytes, recorded.content?.total ?? dataBytes);
    return recorded.content && claimed <= most ? recorded : nothing;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return nothing;
    throw error;
  }
}

/** A journal that says what counts, for this boot; the data was synced before. */
function freshJournal({ content, ranges }: JournalState, boot: string): string {
  const lines: JournalLine[] = [{ type: 'boot', id: boot }];
  if (content) lines.push({ type: 'begun', ...content }, syncedLine(ranges));
  for (const range of ranges) lines.push({ type: 'written', ...range });
  return lines.map(formatJournalLine).join('');
}

/** A partial as its journal says, whoever owns it; nothing of it counts when there is no telling. */
export async function readPartial(folder: string): Promise<JournalState & { readonly dataPath: string }> {
  const state = await recordedState(journalPath(folder), (await stat(dataPath(folder))).size);
  return { ...state, dataPath: dataPath(folder) };
}

/** How many bytes a partial has, as its journal says; 0 when there is no telling. For watching others. */
export async function recordedBytes(folder: string): Promise<number> {
  return (await recordedPartial(folder)).bytes;
}

/** What a partial has, as its journal says, and the identity of its source. */
export async function recordedPartial(
  folder: string
): Promise<{ readonly bytes: number; readonly source: string | null }> {
  try {
    const { content, ranges } = readJournal(await readFile(journalPath(folder), 'utf8'), await bootId());
    return { bytes: countBytes(ranges), source: content?.source ?? null };
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return { bytes: 0, source: null };
    throw error;
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
