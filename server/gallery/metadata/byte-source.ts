import { Buffer } from 'node:buffer';
import { Failure } from '../../../shared/failure';
import { withFile } from '../../platform/durable-files';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';

/** Bytes that are read in parts, so that a large image is never held as a whole. */
export interface ByteSource {
  readonly size: number;
  /** The bytes from an offset; fewer than asked for where they end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Bytes that are in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { size: buffer.length, read: async (offset, length) => buffer.subarray(offset, offset + length) };
}

/**
 * Opens a file, hands it over as a source, and closes it.
 * @throws Failure 'bad-image' when there is no regular file, 'file-access'; what `use` throws
 */
export async function withFileSource<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  try {
    return await withFile(path, 'r', async (file) => {
      const state = await file.stat();
      if (!state.isFile()) throw new Failure('bad-image', 'This is no image file.', { subject: path });
      return use({
        size: state.size,
        async read(offset, length) {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
          return buffer.subarray(0, bytesRead);
        }
      });
    });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) {
      throw new Failure('bad-image', 'There is no image file.', { subject: path, cause: error });
    }
    throw fileFailure(error, 'The image cannot be read.', path);
  }
}
