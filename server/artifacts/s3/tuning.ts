/** The numbers that transfers to a store go by; tests hand in smaller ones. */
export interface S3Tuning {
  /** Files up to this size are sent with one request, in bytes. */
  readonly wholeBytes: number;
  /** Size of a part unless there would be too many of them, in bytes; S3 takes nothing below 5 MiB but the last. */
  readonly partBytes: number;
  /** How many parts are on their way at once. */
  readonly lanes: number;
  /** The largest object that S3 copies with one request, in bytes. */
  readonly copyBytes: number;
  /** Size of a part that is copied, in bytes. */
  readonly copyPartBytes: number;
}

const MIB = 1024 * 1024;

export const S3_TUNING: S3Tuning = {
  wholeBytes: 16 * MIB,
  partBytes: 16 * MIB,
  lanes: 4,
  copyBytes: 5 * 1024 * MIB,
  copyPartBytes: 1024 * MIB
};

/** How long a store may take to join parts, or to copy: S3 speaks of several minutes. */
export const LONG_WORK_MS = 10 * 60_000;

/** The most parts of an upload. */
const MOST_PARTS = 10_000;

/** A part of a content; `end` is the byte behind the last one. */
export interface Part {
  /** From 1. */
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** Divides a content into parts of equal size, of whole MiB where the usual size gives too many. */
export function partsOf(bytes: number, partBytes: number): readonly Part[] {
  const size = Math.max(partBytes, Math.ceil(bytes / MOST_PARTS / MIB) * MIB);
  return Array.from({ length: Math.ceil(bytes / size) }, (_, index) => ({
    number: index + 1,
    start: index * size,
    end: Math.min((index + 1) * size, bytes)
  }));
}
