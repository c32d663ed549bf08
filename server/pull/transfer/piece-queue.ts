import { type ByteRange, type ByteRanges, withRange } from '../partial/byte-ranges';

/** What is still to be fetched of a file, handed out in pieces from its beginning. */
export class PieceQueue {
  private waiting: ByteRanges;

  /** @param pieceBytes size of a piece; pieces end at its multiples */
  constructor(
    missing: ByteRanges,
    private readonly pieceBytes: number
  ) {
    this.waiting = missing;
  }

  /** Whether anything waits to be taken. */
  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Takes the first piece that waits; it ends at a multiple of the piece size. */
  take(): ByteRange | undefined {
    const [first] = this.waiting;
    return first && this.cut(first);
  }

  /** Takes the piece that begins right here, so that a connection goes on without asking anew. */
  takeAt(start: number): ByteRange | undefined {
    const next = this.waiting.find((range) => range.start === start);
    return next && this.cut(next);
  }

  /** Where that ends which waits from here on without a gap. */
  gapEnd(start: number): number {
    return this.waiting.find((range) => range.start === start)?.end ?? start;
  }

  /** Puts back what could not be fetched. */
  giveBack(piece: ByteRange): void {
    this.waiting = withRange(this.waiting, piece);
  }

  private cut(range: ByteRange): ByteRange {
    const boundary = (Math.floor(range.start / this.pieceBytes) + 1) * this.pieceBytes;
    const piece = { start: range.start, end: Math.min(range.end, boundary) };
    const rest = this.waiting.filter((other) => other !== range);
    this.waiting = withRange(rest, { start: piece.end, end: range.end });
    return piece;
  }
}
