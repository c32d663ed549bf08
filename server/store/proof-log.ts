import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { type Digest, parseDigest } from '../../shared/digest';

/** One state of one file, as the system tells it apart from every other; times in nanoseconds since the epoch. */
export interface FileStamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** What reading a file to its end showed, and the state it was in. */
export interface ProofEntry {
  readonly stamp: FileStamp;
  /** Of the bytes that were read, whatever was expected of them; null when the disk could not read them. */
  readonly digest: Digest | null;
  /** When they were read, in ms since the epoch. */
  readonly readAt: number;
  /** A path that led to the file then; tells collection where to look whether the state is still that one. */
  readonly path: string;
}

const whole = z.string().regex(/^\d{1,20}$/);

const line = z.tuple([whole, whole, whole, whole, whole, z.string(), z.int().min(0), z.string()]);

/** One line of a log, with a checksum in front: what a crash tore or spliced together is told from what was written. */
export function proofLine({ stamp, digest, readAt, path }: ProofEntry): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = stamp;
  const text = JSON.stringify([...[dev, ino, size, mtimeNs, ctimeNs].map(String), digest ?? UNREADABLE, readAt, path]);
  return `${checksum(text)} ${text}\n`;
}

/** Reads the lines of a log; those that are damaged, or of a version that wrote more, count as not there. */
export function parseProofLines(text: string): ProofEntry[] {
  return text.split('\n').flatMap((candidate) => parseLine(candidate) ?? []);
}

function parseLine(text: string): ProofEntry | undefined {
  const body = text.slice(CHECKSUM_LENGTH + 1);
  if (body === '' || text.slice(0, CHECKSUM_LENGTH) !== checksum(body)) return undefined;
  const parsed = line.safeParse(jsonOf(body));
  if (!parsed.success) return undefined;
  const [dev, ino, size, mtimeNs, ctimeNs, sha256, readAt, path] = parsed.data;
  const digest = sha256 === UNREADABLE ? null : parseDigest(sha256);
  if (digest === undefined) return undefined;
  const stamp = {
    dev: BigInt(dev),
    ino: BigInt(ino),
    size: BigInt(size),
    mtimeNs: BigInt(mtimeNs),
    ctimeNs: BigInt(ctimeNs)
  };
  return { stamp, digest, readAt, path };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Stands for the digest of what could not be read. */
const UNREADABLE = '';

const CHECKSUM_LENGTH = 8;

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

/** Equal for equal states only. */
export function stampKey({ dev, ino, size, mtimeNs, ctimeNs }: FileStamp): string {
  return `${dev}-${ino}-${size}-${mtimeNs}-${ctimeNs}`;
}
