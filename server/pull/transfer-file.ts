import type { Digest } from '../../shared/digest';
import { cancelled, Failure } from '../../shared/failure';
import type { Clock } from '../platform/clock';
import type { FileHash, FollowingHash, Hasher } from '../platform/hasher';
import type { Log } from '../platform/log';
import type { PartialDownload } from './partial-download';
import { MOST_FRUITLESS_ATTEMPTS, waitBeforeRetry } from './retry-policy';
import { ContentChanged, type Opening, type Source, TransientFault } from './source';

/** What is known of a file before its first byte. */
export interface ExpectedFile {
  readonly source: Source;
  /** null: nobody declared one; what arrives is then taken as it is. */
  readonly digest: Digest | null;
  /** Exact size in bytes, or null. */
  readonly bytes: number | null;
}

export interface TransferTools {
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Bytes of the file on disk and its size, as far as it is known. */
  readonly onBytes: (received: number, total: number | null) => void;
}

/** Bytes are written in pieces of this size, so that neither memory nor the journal grows with the chunks. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Brings a file's bytes into a partial until it is complete, and hashes them from disk behind the writer. Goes on
 * where the partial ends, starts anew when the source has another content by now, and tries again after faults
 * that may pass.
 * @returns the hash of what lies on disk; comparing it with the declared digest is the caller's
 * @throws Failure
 */
export async function transferFile(
  file: ExpectedFile,
  partial: PartialDownload,
  tools: TransferTools
): Promise<FileHash> {
  const follower = new RestartableHash(tools.hasher, partial.dataPath, tools.signal);
  let fruitless = 0;
  let restarts = 0;
  follower.advance(partial.bytes);
  for (;;) {
    const before = partial.bytes;
    try {
      await receive(file, partial, follower, tools);
      return await follower.finish(partial.bytes);
    } catch (error) {
      if (tools.signal.aborted) throw cancelled('The transfer');
      if (error instanceof ContentChanged && restarts === 0) {
        restarts += 1;
        await restart(file, partial, follower, null, null);
        continue;
      }
      if (error instanceof ContentChanged) throw error.failure;
      if (!(error instanceof TransientFault)) throw error;
      fruitless = partial.bytes > before ? 1 : fruitless + 1;
      if (fruitless >= MOST_FRUITLESS_ATTEMPTS) throw error.failure;
      const wait = waitBeforeRetry(fruitless, error.retryAfterMs, Math.random());
      tools.log.warn('transfer interrupted', { source: file.source.label, reason: error.message, retryInMs: wait });
      await tools.clock.sleep(wait, tools.signal);
    }
  }
}

/** One connection: from where the partial ends to the end of the file. */
async function receive(
  file: ExpectedFile,
  partial: PartialDownload,
  follower: RestartableHash,
  { signal, onBytes }: TransferTools
): Promise<void> {
  const offset = resumableBytes(file, partial);
  if (offset > 0 && offset === partial.content?.total) return;
  const validator = partial.content?.source === file.source.identity ? partial.content.validator : null;
  const opening = await file.source.open({ offset, validator: offset > 0 ? validator : null, signal });
  const total = expectedTotal(file, opening);
  if (offset > 0 && opening.offset === offset && total !== partial.content?.total) {
    throw new ContentChanged(new Failure('bad-response', `${file.source.label} changed its size.`));
  }
  if (offset === 0 || opening.offset !== offset) {
    await restart(file, partial, follower, opening.validator, total);
  }
  onBytes(partial.bytes, total);
  await store(opening.body, async (piece) => {
    if (total !== null && partial.bytes + piece.length > total) throw tooLong(file, total);
    await partial.append(piece);
    follower.advance(partial.bytes);
    onBytes(partial.bytes, total);
  });
  if (total !== null && partial.bytes < total) {
    const message = `${file.source.label} ended after ${partial.bytes} of ${total} bytes.`;
    throw new TransientFault(new Failure('bad-response', message, { subject: file.source.label }));
  }
}

/** Without a digest only the same content of the same source, told by a strong validator, is gone on with. */
function resumableBytes({ digest, bytes, source }: ExpectedFile, { content, bytes: onDisk }: PartialDownload): number {
  if (content === null || onDisk === 0) return 0;
  if (bytes !== null && content.total !== null && content.total !== bytes) return 0;
  if (digest !== null && content.total !== null) return onDisk;
  return content.source === source.identity && content.validator !== null ? onDisk : 0;
}

function expectedTotal({ bytes, digest, source }: ExpectedFile, opening: Opening): number | null {
  const { label: subject } = source;
  if (bytes !== null && opening.total !== null && opening.total !== bytes) {
    throw new Failure('size-mismatch', `${subject} has ${opening.total} bytes, the manifest says ${bytes}.`, {
      subject,
      nextStep: 'Check size_bytes and the address in the manifest.'
    });
  }
  if (opening.endsByClosing && digest === null && bytes === null) {
    throw new Failure('bad-response', `${subject} is sent without saying how long it is.`, {
      subject,
      nextStep: 'Add sha256 or size_bytes to the manifest, so that the end can be told.'
    });
  }
  return opening.total ?? bytes;
}

async function restart(
  { source }: ExpectedFile,
  partial: PartialDownload,
  follower: RestartableHash,
  validator: string | null,
  total: number | null
): Promise<void> {
  await partial.begin({ source: source.identity, validator, total });
  follower.restart();
}

/** Gathers chunks of any size into pieces of at most 1 MiB. */
async function store(body: AsyncIterable<Uint8Array>, write: (piece: Uint8Array) => Promise<void>): Promise<void> {
  const buffer = Buffer.allocUnsafe(WRITE_BYTES);
  let filled = 0;
  const flush = async (): Promise<void> => {
    const piece = buffer.subarray(0, filled);
    filled = 0;
    if (piece.length > 0) await write(piece);
  };
  try {
    for await (const chunk of body) {
      for (let taken = 0; taken < chunk.length; ) {
        const part = chunk.subarray(taken, taken + WRITE_BYTES - filled);
        buffer.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled === WRITE_BYTES) await flush();
      }
    }
  } catch (error) {
    // What arrived before the connection broke is worth keeping.
    if (error instanceof TransientFault || (error instanceof Failure && error.code === 'cancelled')) await flush();
    throw error;
  }
  await flush();
}

function tooLong({ source }: ExpectedFile, total: number): Failure {
  return new Failure('bad-response', `${source.label} sent more than the ${total} bytes that the file has.`, {
    subject: source.label
  });
}

/** A hash behind the writer that can begin again when the writer does. */
class RestartableHash {
  private controller = new AbortController();
  private hash: FollowingHash;

  constructor(
    private readonly hasher: Hasher,
    private readonly path: string,
    private readonly signal: AbortSignal
  ) {
    this.hash = this.start();
  }

  advance(bytes: number): void {
    this.hash.advance(bytes);
  }

  finish(bytes: number): Promise<FileHash> {
    return this.hash.finish(bytes);
  }

  restart(): void {
    this.controller.abort();
    this.hash = this.start();
  }

  private start(): FollowingHash {
    this.controller = new AbortController();
    return this.hasher.follow(this.path, { signal: AbortSignal.any([this.signal, this.controller.signal]) });
  }
}
