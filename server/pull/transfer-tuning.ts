/** The numbers that transfers go by. The composition hands them in; tests hand in smaller ones. */
export interface TransferTuning {
  /** How many connections a large file begins with; more are tried as long as that pays. */
  readonly firstConnections: number;
  /** Files below this size get one connection: a second would not pay, in bytes. */
  readonly smallestSharedBytes: number;
  /** How much a connection takes at once when several share a file, in bytes. */
  readonly pieceBytes: number;
  /** How long a connection may take to be made, in ms. */
  readonly connectMs: number;
  /** How long a server may send nothing, or less than `stallBytes`, before its answer counts as stalled, in ms. */
  readonly stallMs: number;
  /** What an attempt has to bring to count as progress, in bytes. */
  readonly stallBytes: number;
  /** How long another process may show no new byte before we transfer by ourselves, in ms. */
  readonly silenceMs: number;
}

/** What transfers go by unless a host decides otherwise. */
export const TRANSFER_TUNING: TransferTuning = {
  firstConnections: 1,
  smallestSharedBytes: 64 * 1024 * 1024,
  // Measured: 4 to 32 MiB make no difference.
  pieceBytes: 16 * 1024 * 1024,
  connectMs: 15_000,
  stallMs: 30_000,
  stallBytes: 32 * 1024,
  silenceMs: 20_000
};
