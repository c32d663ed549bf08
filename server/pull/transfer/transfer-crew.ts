import { dirname } from 'node:path';
import { Failure } from '../../../shared/failure';
import { requireRoom } from '../disk-room';
import { type ExpectedFile, openedTotal, type TransferTools } from '../expected-file';
import { type ByteRange, missingRanges } from '../partial/byte-ranges';
import type { PartialDownload } from '../partial/partial-download';
import { MOST_FRUITLESS_ATTEMPTS, waitBeforeRetry } from '../retry-policy';
import { ContentChanged, type Opening, RangesIgnored, TransientFault } from '../source';
import { ConnectionWidth } from './connection-width';
import { PieceQueue } from './piece-queue';
import { writePieces } from './write-pieces';

/** After so many bytes of a content whose size nobody tells the free space is looked at again. */
const UNTOLD_BYTES = 16 * 1024 * 1024;

/** How many connections a transfer has that is not shared. */
const ALONE = 1;

/** The connections that together bring one content into a partial: one at first, more while that pays. */
export class TransferCrew {
  private readonly controller = new AbortController();
  private readonly signal: AbortSignal;
  private readonly running = new Set<Promise<void>>();
  /** Connections that have not decided to leave; counted apart, for promises settle later. */
  private active = 0;
  private queue: PieceQueue;
  private width: ConnectionWidth;
  /** Attempts in a row that brought next to nothing, and the bytes that came since the last of them. */
  private fruitless = 0;
  private gainedBytes = 0;
  private fault: { readonly error: unknown } | undefined;

  constructor(
    private readonly file: ExpectedFile,
    private readonly partial: PartialDownload,
    private readonly tools: TransferTools,
    private readonly onContiguous: (bytes: number) => void
  ) {
    this.signal = AbortSignal.any([tools.signal, this.controller.signal]);
    this.queue = new PieceQueue([], tools.tuning.pieceBytes);
    this.width = new ConnectionWidth(tools.clock.elapsed(), 0, ALONE, () => ALONE);
  }

  /** Bytes of the content, or null. */
  private get total(): number | null {
    return this.partial.content?.total ?? null;
  }

  /** Fetches what the partial lacks of the content that it has begun. */
  async resume(): Promise<void> {
    // Whether this source serves parts, its first answer tells.
    this.prepare(true);
    this.hire();
    await this.finish();
  }

  /**
   * Begins the content from its first byte.
   * @param shares whether several connections may be tried
   * @param onBegin called before anything is written
   */
  async begin({ shares, onBegin }: { readonly shares: boolean; readonly onBegin: () => void }): Promise<void> {
    const opening = await this.openWhole();
    try {
      await this.beginWith(opening, onBegin);
    } catch (error) {
      // Closes the body, which nobody is going to read.
      this.controller.abort();
      throw error;
    }
    const isTold = this.file.digest !== null || opening.validator !== null;
    this.prepare(shares && opening.servesRanges && isTold);
    // Of an empty file there is no piece to take, but its body has to end.
    if (this.total === 0) await this.fetch({ start: 0, end: 0 }, opening);
    else this.hire(opening);
    await this.finish();
  }

  private async beginWith(opening: Opening, onBegin: () => void): Promise<void> {
    const total = openedTotal(this.file, opening);
    await this.requireRoom((total ?? 0) - this.partial.bytes);
    await this.partial.begin({ source: this.file.source.identity, validator: opening.validator, total });
    onBegin();
  }

  private async requireRoom(neededBytes: number): Promise<void> {
    const { folder } = this.partial;
    requireRoom(Math.max(0, neededBytes), await this.tools.freeBytes(folder), dirname(folder));
  }

  /** The first connection, tried again as long as nothing has begun. */
  private async openWhole(): Promise<Opening> {
    for (;;) {
      try {
        return await this.file.source.open({ start: 0, end: null, validator: null, signal: this.signal });
      } catch (error) {
        if (!(error instanceof TransientFault)) throw error;
        await this.pause(error);
      }
    }
  }

  private prepare(mayShare: boolean): void {
    const { clock, tuning, limits } = this.tools;
    const { total } = this;
    const missing = missingRanges(this.partial.ranges, total ?? Number.POSITIVE_INFINITY);
    this.queue = new PieceQueue(missing, tuning.pieceBytes);
    const shares = mayShare && total !== null && total >= tuning.smallestSharedBytes;
    const most = (): number => (shares ? limits.connections : ALONE);
    this.width = new ConnectionWidth(clock.elapsed(), this.partial.bytes, tuning.firstConnections, most);
    this.tools.onBytes(this.partial.bytes, total);
  }

  /** Starts a connection; the first may bring its body along. */
  private hire(opening?: Opening): void {
    this.active += 1;
    const work = this.work(opening)
      .catch((error: unknown) => {
        this.fault ??= { error };
        this.controller.abort();
      })
      .finally(() => this.running.delete(work));
    this.running.add(work);
  }

  /** Waits for all connections. When the last one left to others what nobody took, one is hired again. */
  private async finish(): Promise<void> {
    for (;;) {
      while (this.running.size > 0) await Promise.all(this.running);
      if (this.fault) throw this.fault.error;
      if (!this.queue.hasWaiting || this.total === null) return;
      this.hire();
    }
  }

  private async work(brought: Opening | undefined): Promise<void> {
    let opening = brought;
    try {
      for (;;) {
        if (this.active > this.width.connections) return;
        const piece = this.queue.take();
        if (!piece) return;
        const fault = await this.fetch(piece, opening);
        opening = undefined;
        if (!fault) {
          if (this.total === null) return;
          continue;
        }
        if (this.total === null) {
          await this.pause(fault);
          // Without a length nothing tells where to go on.
          throw new RangesIgnored(fault.failure);
        }
        // While others still receive, the server is only asked for less; alone, the connection waits.
        if (this.active > 1) return this.width.narrow(this.tools.clock.elapsed(), this.active - 1);
        await this.pause(fault);
      }
    } finally {
      this.active -= 1;
    }
  }

  /**
   * Writes a piece, and the following ones as long as this connection is alone and its body goes on. What a passing
   * fault left out waits again.
   */
  private async fetch(first: ByteRange, brought: Opening | undefined): Promise<TransientFault | undefined> {
    const claimed = { ...first };
    try {
      const opening = brought ?? (await this.openPiece(first));
      await writePieces(opening.body, first, {
        total: this.total,
        label: this.file.source.label,
        write: async (chunk, start) => {
          await this.partial.write(chunk, start);
          await this.note(start, chunk.length);
        },
        place: { data: this.partial.dataPath, journal: this.partial.journalPath },
        landed: async (range) => {
          this.partial.countLanded(range);
          await this.note(range.start, range.end - range.start);
        },
        next: (start) => {
          const following = this.width.connections === 1 ? this.queue.takeAt(start) : undefined;
          claimed.end = following?.end ?? claimed.end;
          return following;
        }
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof TransientFault)) throw error;
      for (const { start, end } of missingRanges(this.partial.ranges, claimed.end)) {
        this.queue.giveBack({ start: Math.max(start, claimed.start), end });
      }
      return error;
    }
  }

  private async openPiece({ start, end }: ByteRange): Promise<Opening> {
    const { content } = this.partial;
    const { source } = this.file;
    const validator = content?.source === source.identity ? content.validator : null;
    // With neither digest nor validator nothing would tell another version from the one that was begun.
    if (this.file.digest === null && validator === null) throw this.beginAnew('cannot tell its versions apart');
    const isAlone = this.width.connections === 1;
    // Alone it goes on to the end of the gap; what is here behind the gap need not come again.
    const last = isAlone ? this.queue.gapEnd(end) : end;
    const request = { start, end: isAlone && last === this.total ? null : last, validator, signal: this.signal };
    const opening = await source.open(request);
    const { label: subject } = source;
    if (opening.start !== start) throw this.beginAnew('serves it from its beginning only');
    const isSameSize = opening.total === null || opening.total === content?.total;
    if (!isSameSize || !isSame(validator, opening.validator, this.file)) {
      throw new ContentChanged(anotherContent(subject));
    }
    return opening;
  }

  private beginAnew(why: string): RangesIgnored {
    const { label: subject } = this.file.source;
    const nextStep = 'Check the network connection and try again, or use another source.';
    return new RangesIgnored(new Failure('bad-response', `The source of ${subject} ${why}.`, { subject, nextStep }));
  }

  /** Takes notice of bytes that were written. */
  private async note(start: number, bytes: number): Promise<void> {
    this.gainedBytes += bytes;
    if (this.gainedBytes >= this.tools.tuning.stallBytes) this.fruitless = 0;
    // Nothing else tells where a body without a length has to end.
    const isUntold =
      this.total === null && Math.floor(start / UNTOLD_BYTES) < Math.floor((start + bytes) / UNTOLD_BYTES);
    if (isUntold) await this.requireRoom(0);
    this.onContiguous(this.partial.contiguousBytes);
    this.tools.onBytes(this.partial.bytes, this.total);
    this.widen();
  }

  private widen(): void {
    this.width.note(this.tools.clock.elapsed(), this.partial.bytes);
    while (this.active < this.width.connections && this.queue.hasWaiting) this.hire();
  }

  /** @throws Failure after too many attempts in a row that brought next to nothing */
  private async pause(fault: TransientFault): Promise<void> {
    this.fruitless += 1;
    this.gainedBytes = 0;
    if (this.fruitless > MOST_FRUITLESS_ATTEMPTS) throw fault.failure;
    const { log, clock } = this.tools;
    const wait = waitBeforeRetry(this.fruitless, fault.awaitedMs, Math.random());
    log.warn('transfer interrupted', {
      source: this.file.source.label,
      reason: fault.message,
      retryInMs: wait + fault.awaitedMs
    });
    if (wait > 0) await clock.sleep(wait, this.signal);
  }
}

function anotherContent(subject: string): Failure {
  return new Failure('bad-response', `${subject} has another content by now.`, {
    subject,
    nextStep: 'Try again later: the file is being replaced, or its servers do not agree.'
  });
}

/** Whether an answer belongs to the content that was begun; with a digest an answer may leave out its validator. */
function isSame(begun: string | null, answered: string | null, { digest }: ExpectedFile): boolean {
  return begun === null || answered === begun || (answered === null && digest !== null);
}
