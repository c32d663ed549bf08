import { appendFile, lstat, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../shared/digest';
import { makeDirectoryDurably } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { isProvedDead, nonce, ownerTag, ownIdentity, parseOwnerTag } from '../platform/process-identity';
import { errorCode, isErrorWithCode } from '../platform/system-error';
import { type FileStamp, type ProofEntry, parseProofLines, proofLine, stampKey } from './proof-log';

/** What a file's bytes were when they were read last, in a state that the file is still in. */
export interface Proof {
  readonly digest: Digest;
  /** When they were read, in ms since the epoch. */
  readonly readAt: number;
}

/** What was thrown away. */
export interface CollectedProofs {
  readonly entries: number;
  readonly bytes: number;
}

const EXTENSION = '.proofs';

/** Our own log is written anew when it has so many lines, or twice those that it began with. */
const MOST_LINES = 20_000;

/** So many logs of processes that are gone are left as they are. */
const LOGS_OF_THE_DEAD = 8;

/**
 * Remembers what was read, so that an unchanged file is not read again. Every process appends to a log of its own and
 * reads those of all, so nobody waits and nothing is lost. Proofs are a cache: one that is lost costs another
 * reading, and one that cannot be written is not missed; one whose file changed is never found.
 */
export class Proofs {
  private readonly entries = new Map<string, ProofEntry>();
  /** Bytes of each log that were taken in. */
  private readonly readUpTo = new Map<string, number>();
  private refreshing: Promise<void> | undefined;
  private own: OwnLog | undefined;
  private lastTurn: Promise<unknown> = Promise.resolve();

  /**
   * @param folder absolute path
   * @param now ms since the epoch, by the clock that file systems use
   */
  constructor(
    private readonly folder: string,
    readonly now: () => number = Date.now
  ) {}

  /** Takes in what was remembered since, by other processes too. To be done before a round of {@link find}. */
  async refresh(): Promise<void> {
    this.refreshing ??= this.readLogs().finally(() => {
      this.refreshing = undefined;
    });
    await this.refreshing;
  }

  /** @returns undefined unless the very state was read */
  find(stamp: FileStamp): Proof | undefined {
    const entry = this.entries.get(stampKey(stamp));
    return entry && entry.digest !== null ? { digest: entry.digest, readAt: entry.readAt } : undefined;
  }

  /** Remembers a reading. @param stamp the state that the file was in before, while, and after it was read */
  remember(path: string, stamp: FileStamp, proof: Proof): Promise<void> {
    return this.note(path, stamp, proof);
  }

  /** Has an earlier reading of a state count no more: the disk cannot read it now. */
  async forget(path: string, stamp: FileStamp): Promise<void> {
    if (this.find(stamp)) await this.note(path, stamp, { digest: null, readAt: this.now() });
  }

  /**
   * Makes a change of ours that touches files without changing their bytes (a link, an unlink, a mode), and remembers
   * what was known of them before for the state that they are in afterwards.
   * @param paths names of the files that are there before and after
   */
  async keepThrough<T>(paths: readonly string[], change: () => Promise<T>): Promise<T> {
    await this.refresh();
    const known = await Promise.all(
      paths.map(async (path) => {
        const stamp = await stampOf(path);
        const proof = stamp && this.find(stamp);
        return proof && { path, stamp, proof };
      })
    );
    try {
      return await change();
    } finally {
      for (const before of known) if (before) await this.restamp(before.path, before.stamp, before.proof);
    }
  }

  /**
   * Puts the logs of dead processes, and our own when it is long, into one, without what no file is like any more.
   * @param force whether to do so even when there is little to gain
   */
  async collect({ force = false } = {}): Promise<CollectedProofs> {
    await this.refresh();
    const dead = await this.logsOfTheDead();
    const isLong = this.own !== undefined && this.own.lines >= this.own.mostLines;
    if (!force && !isLong && dead.length <= LOGS_OF_THE_DEAD) return NOTHING;
    return (await this.inTurn(() => this.putInOne(dead))) ?? NOTHING;
  }

  private async note(
    path: string,
    { dev, ino, size, mtimeNs, ctimeNs }: FileStamp,
    reading: Pick<ProofEntry, 'digest' | 'readAt'>
  ): Promise<void> {
    const entry = { ...reading, path, stamp: { dev, ino, size, mtimeNs, ctimeNs } };
    this.entries.set(stampKey(entry.stamp), entry);
    await this.inTurn(() => this.append(proofLine(entry)));
    if (this.own && this.own.lines >= this.own.mostLines) await this.collect();
  }

  private async restamp(path: string, before: FileStamp, proof: Proof): Promise<void> {
    const after = await stampOf(path);
    if (!after || stampKey(after) === stampKey(before)) return;
    const { ctimeNs } = after;
    if (stampKey({ ...before, ctimeNs }) === stampKey(after)) await this.remember(path, after, proof);
  }

  /** Changes of our own log follow one another; one that the disk does not take is done without. */
  private async inTurn<T>(step: () => Promise<T>): Promise<T | undefined> {
    const done = this.lastTurn.then(step).catch((error: unknown) => {
      if (errorCode(error) === undefined) throw error;
      // A log that may end in half a line is not gone on with.
      this.own = undefined;
      return undefined;
    });
    this.lastTurn = done.catch(() => undefined);
    return done;
  }

  private async append(line: string): Promise<void> {
    const { own } = this;
    if (!own) {
      await this.startLog([line]);
      return;
    }
    own.lines += 1;
    this.readUpTo.set(own.name, (this.readUpTo.get(own.name) ?? 0) + Buffer.byteLength(line));
    await appendFile(join(this.folder, own.name), line);
  }

  private async startLog(lines: readonly string[]): Promise<void> {
    await makeDirectoryDurably(this.folder);
    const name = `${ownerTag(await ownIdentity(), nonce())}${EXTENSION}`;
    const text = lines.join('');
    this.readUpTo.set(name, Buffer.byteLength(text));
    await writeFile(join(this.folder, name), text, { flag: 'wx' });
    this.own = { name, lines: lines.length, mostLines: Math.max(MOST_LINES, 2 * lines.length) };
  }

  private async putInOne(dead: readonly string[]): Promise<CollectedProofs> {
    const old = [...dead, ...(this.own ? [this.own.name] : [])];
    const bytes = await this.bytesOf(old);
    const entries = await this.forgetStale();
    const lines = [...this.entries.values()].map(proofLine);
    this.own = undefined;
    if (lines.length > 0) await this.startLog(lines);
    for (const name of old) {
      await rm(join(this.folder, name), { force: true });
      this.readUpTo.delete(name);
    }
    return { entries, bytes: Math.max(0, bytes - Buffer.byteLength(lines.join(''))) };
  }

  private async readLogs(): Promise<void> {
    for (const name of await this.logs()) {
      const from = this.readUpTo.get(name) ?? 0;
      const read = await readFrom(join(this.folder, name), from);
      // What follows the last line end is still being written.
      const text = read.subarray(0, read.lastIndexOf(LINE_END) + 1);
      if (text.length === 0) continue;
      this.readUpTo.set(name, from + text.length);
      for (const entry of parseProofLines(text.toString())) this.take(entry);
    }
  }

  /** Of two readings of one state the later one counts: bits may rot without a trace. */
  private take(entry: ProofEntry): void {
    const key = stampKey(entry.stamp);
    const known = this.entries.get(key);
    if (!known || known.readAt <= entry.readAt) this.entries.set(key, entry);
  }

  private async logs(): Promise<string[]> {
    return (await entriesOf(this.folder)).filter((name) => name.endsWith(EXTENSION));
  }

  private async logsOfTheDead(): Promise<string[]> {
    const dead: string[] = [];
    for (const name of await this.logs()) {
      const owner = parseOwnerTag(name.slice(0, -EXTENSION.length));
      if (!owner || (await isProvedDead(owner))) dead.push(name);
    }
    return dead;
  }

  private async forgetStale(): Promise<number> {
    const before = this.entries.size;
    for (const [key, { path }] of this.entries) {
      const stamp = await stampOf(path);
      if (!stamp || stampKey(stamp) !== key) this.entries.delete(key);
    }
    return before - this.entries.size;
  }

  private async bytesOf(names: readonly string[]): Promise<number> {
    const stamps = await Promise.all(names.map((name) => stampOf(join(this.folder, name))));
    return stamps.reduce((sum, stamp) => sum + Number(stamp?.size ?? 0), 0);
  }
}

interface OwnLog {
  readonly name: string;
  readonly mostLines: number;
  lines: number;
}

const NOTHING: CollectedProofs = { entries: 0, bytes: 0 };

const LINE_END = '\n'.charCodeAt(0);

/** What a log holds from a position on; nothing when it was put into another meanwhile. */
async function readFrom(path: string, position: number): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const length = Math.max(0, size - position);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'EACCES', 'EPERM', 'EISDIR')) return Buffer.alloc(0);
    throw error;
  }
}

/** The state of what a path itself names, a link included; undefined when there is nothing that could be told. */
async function stampOf(path: string): Promise<FileStamp | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errorCode(error) !== undefined) return undefined;
    throw error;
  }
}
