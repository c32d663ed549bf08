import { cancelled } from '../../../shared/failure';
import type { FileHash, FollowingHash } from '../../platform/hasher';
import { type ExpectedFile, refuseEmpty, type TransferTools } from '../expected-file';
import type { PartialDownload } from '../partial/partial-download';
import { ContentChanged, RangesIgnored } from '../source';
import { TransferCrew } from './transfer-crew';

/** How often a transfer may begin anew because the source does not serve parts. */
const MOST_RESTARTS = 5;

/**
 * Brings a file's bytes into a partial until it is complete, and hashes them from disk behind the contiguous
 * watermark. Goes on where the partial ends, and starts anew when the source has another content by now.
 * @returns the hash of what lies on disk; comparing it with the declared digest is the caller's
 * @throws Failure
 */
export async function transferFile(
  file: ExpectedFile,
  partial: PartialDownload,
  tools: TransferTools
): Promise<FileHash> {
  const follower = new RestartableHash(partial.dataPath, tools);
  try {
    return await transferWith(follower, file, partial, tools);
  } finally {
    // Else the worker would hold the file open, and with it the space of a removed one.
    follower.stop();
  }
}

async function transferWith(
  follower: RestartableHash,
  file: ExpectedFile,
  partial: PartialDownload,
  tools: TransferTools
): Promise<FileHash> {
  let resumes = isResumable(file, partial);
  if (resumes) follower.advance(partial.contiguousBytes);
  for (let changes = 0, restarts = 0; ; ) {
    const crew = new TransferCrew(file, partial, tools, (bytes) => follower.advance(bytes));
    try {
      await (resumes
        ? crew.resume()
        : crew.begin({ shares: changes + restarts === 0, onBegin: () => follower.restart() }));
      refuseEmpty(file, partial.bytes);
      return await follower.finish(partial.bytes);
    } catch (error) {
      if (tools.signal.aborted) throw cancelled('The transfer');
      if (error instanceof ContentChanged) changes += 1;
      else if (error instanceof RangesIgnored) restarts += 1;
      else throw error;
      if (changes > 1 || restarts > MOST_RESTARTS) throw error.failure;
      tools.log.warn('transfer begins anew', { source: file.source.label, reason: error.message });
      resumes = false;
    }
  }
}

/**
 * Whether a partial can be gone on with: without a digest only with the same content of the same source, told by a
 * strong validator.
 */
export function isResumable(
  { digest, bytes, source }: ExpectedFile,
  { content, bytes: onDisk }: PartialDownload
): boolean {
  if (content === null || content.total === null || onDisk === 0) return false;
  if (bytes !== null && content.total !== bytes) return false;
  return digest !== null || (content.source === source.identity && content.validator !== null);
}

/** The hash hears of new bytes in steps of this size: waking a thread costs more than hashing a little. */
const ANNOUNCED_BYTES = 4 * 1024 * 1024;

/** A hash behind the writer that can begin again when the writer does. */
class RestartableHash {
  private controller = new AbortController();
  private hash: FollowingHash;
  private announced = 0;

  constructor(
    private readonly path: string,
    private readonly tools: TransferTools
  ) {
    this.hash = this.start();
  }

  advance(bytes: number): void {
    if (bytes - this.announced < ANNOUNCED_BYTES) return;
    this.announced = bytes;
    this.hash.advance(bytes);
  }

  finish(bytes: number): Promise<FileHash> {
    return this.hash.finish(bytes);
  }

  stop(): void {
    this.controller.abort();
  }

  restart(): void {
    this.stop();
    this.announced = 0;
    this.hash = this.start();
  }

  private start(): FollowingHash {
    this.controller = new AbortController();
    const { hasher, signal, onHashed } = this.tools;
    return hasher.follow(this.path, {
      signal: AbortSignal.any([signal, this.controller.signal]),
      onProgress: onHashed
    });
  }
}
