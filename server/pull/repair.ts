import { Failure, messageOf } from '../../shared/failure';
import { exists } from '../platform/durable-files';
import type { PartHasher } from '../platform/part-hasher';
import type { ExpectedFile, TransferTools } from './expected-file';
import { fileSource } from './local/file-source';
import { type ByteRange, type ByteRanges, missingRanges, NO_RANGES, withRange } from './partial/byte-ranges';
import type { PartialDownload } from './partial/partial-download';
import { type Piece, piecesOf } from './partial/pieces';
import { copyParts } from './transfer/copy-parts';

export interface RepairTools extends Pick<TransferTools, 'log' | 'signal'> {
  readonly parts: PartHasher;
  /** Bytes that were hashed while nothing arrived, and how many there are to hash. */
  readonly onChecked: (checked: number, total: number | null) => void;
}

/**
 * After a content arrived with the wrong digest: keeps of a partial what the digests of its pieces prove.
 * @returns false when there is nothing to keep, or nothing to replace; the partial is then of no use
 */
export async function keepSoundPieces(
  partial: PartialDownload,
  file: ExpectedFile,
  tools: RepairTools
): Promise<boolean> {
  const pieces = piecesOf(file.bytes, file.pieces);
  const sound = await soundRanges(partial.dataPath, pieces, tools);
  if (sound.length === 0 || missingRanges(sound, file.bytes ?? 0).length === 0) return false;
  await partial.recount(contentOf(file), sound);
  return true;
}

/**
 * Takes into a partial what other files of this machine have of it, piece by piece. Those files are only read: their
 * blocks are shared where the file system can, else bytes are copied, and a piece counts once it was hashed from our
 * own file. Seeds that cannot be read are passed over.
 * @throws Failure('cancelled')
 */
export async function seedFrom(
  seeds: readonly string[],
  partial: PartialDownload,
  file: ExpectedFile,
  tools: RepairTools
): Promise<void> {
  const pieces = piecesOf(file.bytes, file.pieces);
  for (const path of seeds) {
    // A piece of which something arrived is left to the transfer: what arrived counts already.
    const missing = pieces.filter((piece) => !isBegun(piece, partial.ranges));
    if (missing.length === 0) return;
    if (!(await exists(path))) continue;
    try {
      await seedOnce(path, missing, partial, file, tools);
      tools.log.info('took over sound pieces', { path, bytes: partial.bytes });
    } catch (error) {
      if (error instanceof Failure && error.code === 'cancelled') throw error;
      tools.log.warn('seed passed over', { path, reason: messageOf(error) });
    }
  }
}

async function seedOnce(
  path: string,
  missing: readonly Piece[],
  partial: PartialDownload,
  file: ExpectedFile,
  tools: RepairTools
): Promise<void> {
  const isCloned = partial.bytes === 0 && (await partial.beginAsClone(fileSource(path)));
  if (isCloned) {
    await partial.recount(contentOf(file), await soundRanges(partial.dataPath, missing, tools));
    return;
  }
  if (partial.content?.total !== file.bytes) await partial.begin(contentOf(file));
  await copyParts(path, missing, partial, tools.signal);
  const sound = await soundRanges(partial.dataPath, missing, tools);
  for (const range of sound) await partial.count(range);
}

/** Which of the pieces a file holds, as ranges. */
async function soundRanges(
  path: string,
  pieces: readonly Piece[],
  { parts, signal, onChecked }: RepairTools
): Promise<ByteRanges> {
  const total = pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  const onProgress = (checked: number): void => onChecked(checked, total);
  const digests = pieces.length === 0 ? [] : await parts.hashParts(path, pieces, { signal, onProgress });
  return pieces
    .filter(({ digest }, index) => digests[index] === digest)
    .reduce((ranges, piece) => withRange(ranges, piece), NO_RANGES);
}

/** Where the content comes from next time; what vouches for what is here are the digests of its pieces. */
function contentOf({ source, bytes }: ExpectedFile) {
  return { source: source.identity, validator: null, total: bytes };
}

function isBegun({ start, end }: ByteRange, ranges: ByteRanges): boolean {
  return ranges.some((range) => range.start < end && range.end > start);
}
