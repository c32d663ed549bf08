import { Failure } from '../../../shared/failure';
import { withFile } from '../../platform/durable-files';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';
import { type PngImage, readPng } from './png';
import { type ExaminedImage, examinePng } from './png-look';

/** The largest file that is read, in bytes: more than 64 million pixels of an ordinary image can take. */
const LARGEST_FILE_BYTES = 512 * 1024 * 1024;

/**
 * Reads and decodes a PNG file.
 * @throws Failure 'bad-image' (also when there is no file), 'file-access'
 */
export async function readPngFile(path: string): Promise<PngImage> {
  return readPng(await readImageFile(path));
}

/**
 * Reads, decodes and judges a PNG file.
 * @throws Failure 'bad-image' (also when there is no file), 'file-access'
 */
export async function examinePngFile(path: string): Promise<ExaminedImage> {
  return examinePng(await readImageFile(path));
}

/**
 * Reads an image file into memory.
 * @throws Failure 'bad-image' when there is none or it is too large, 'file-access'
 */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await withFile(path, 'r', async (file) => {
      const { size } = await file.stat();
      if (size <= LARGEST_FILE_BYTES) return file.readFile();
      throw new Failure('bad-image', 'The image file is too large.', { subject: path });
    });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'EISDIR')) {
      throw new Failure('bad-image', 'There is no image file.', { subject: path, cause: error });
    }
    throw fileFailure(error, 'The image cannot be read.', path);
  }
}
