import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { cancelled } from '../../../shared/failure';
import type { ByteRange } from '../partial/byte-ranges';
import type { PartialDownload } from '../partial/partial-download';

/** One read. */
const COPY_BYTES = 1024 * 1024;

/**
 * Copies parts of a file into the same places of a partial, where they do not count yet. A file that is too short gives
 * what it has.
 * @throws Failure('cancelled')
 */
export async function copyParts(
  path: string,
  parts: readonly ByteRange[],
  partial: PartialDownload,
  signal: AbortSignal
): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (const part of parts) await copyPart(file, buffer, part, partial, signal);
  } finally {
    await file.close();
  }
}

async function copyPart(
  file: FileHandle,
  buffer: Buffer,
  { start, end }: ByteRange,
  partial: PartialDownload,
  signal: AbortSignal
): Promise<void> {
  for (let position = start; position < end; ) {
    if (signal.aborted) throw cancelled('The transfer');
    const { bytesRead } = await file.read(buffer, 0, Math.min(COPY_BYTES, end - position), position);
    if (bytesRead === 0) return;
    await partial.place(buffer.subarray(0, bytesRead), position);
    position += bytesRead;
  }
}
