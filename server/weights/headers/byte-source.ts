import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../../../shared/failure';
import { fileFailure } from '../../platform/system-error';

/** The bytes of one file, read where they are wanted. */
export interface ByteSource {
  /** For failures. */
  readonly path: string;
  /** Of the whole, in bytes. */
  readonly size: number;
  /** Fills a part of a buffer from an offset on. @returns how many bytes were read; fewer only at the file's end */
  read(target: Uint8Array, offset: number): Promise<number>;
}

/** Opens a file for as long as it is used. @throws Failure('file-access'), and what the use throws */
export async function withFileSource<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const handle = await openFile(path);
  try {
    return await use(await fileSource(path, handle));
  } catch (error) {
    throw fileFailure(error, 'The file cannot be read.', path);
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw fileFailure(error, 'The file cannot be opened.', path);
  }
}

async function fileSource(path: string, handle: FileHandle): Promise<ByteSource> {
  const status = await handle.stat();
  if (!status.isFile()) throw new Failure('file-access', 'This is not a file.', { subject: path });
  return {
    path,
    size: status.size,
    async read(target, offset) {
      let filled = 0;
      while (filled < target.length) {
        const { bytesRead } = await handle.read(target, filled, target.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    }
  };
}
