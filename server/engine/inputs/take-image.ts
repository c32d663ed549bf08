import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { byteText } from '../../../shared/byte-text';
import { Failure } from '../../../shared/failure';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';
import type { TaskHandler } from '../../platform/workers/serve-tasks';
import { LARGEST_INPUT_BYTES, type ReceivedImage, receivedImage } from './received-image';

/** The task's name in the pool. */
export const TAKE_IMAGE_TASK = 'take-image';

interface TakeImageInput {
  /** The user's file. */
  readonly path: string;
  /** Where the copy goes, without its extension. */
  readonly target: string;
}

/** What is known of an image that was taken. */
export interface TakenImage extends Omit<ReceivedImage, 'bytes' | 'extension'> {
  /** The copy. */
  readonly path: string;
}

export interface TakeImageTask {
  readonly name: typeof TAKE_IMAGE_TASK;
  readonly input: TakeImageInput;
  readonly result: TakenImage;
}

/**
 * Reads an image once, checks it, and writes what the engine gets of it: whatever becomes of the user's file
 * afterwards, the run goes on with these bytes.
 * @throws Failure 'bad-image', 'file-access', 'disk-full', with the user's path as their subject
 */
export const takeImage: TaskHandler<TakeImageTask> = async ({ path: original, target }) => {
  const { bytes, extension, ...facts } = checked(await readOnce(original), original);
  const path = `${target}${extension}`;
  try {
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw fileFailure(error, 'A copy of the image cannot be made.', path);
  }
  return { path, ...facts };
};

function checked(bytes: Uint8Array, path: string): ReceivedImage {
  try {
    return receivedImage(bytes);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const nextStep = error.nextStep ?? 'Save it again with an image program, or choose another one.';
    throw new Failure(error.code, error.message, { subject: path, nextStep, cause: error });
  }
}

async function readOnce(path: string): Promise<Uint8Array> {
  try {
    // Without waiting, for what the path leads to may be a pipe that nobody writes to.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = await file.stat();
      if (!status.isFile()) throw new Failure('bad-image', 'This is no image file.', { subject: path });
      if (status.size > LARGEST_INPUT_BYTES) throw tooLarge(path, status.size);
      const buffer = Buffer.alloc(status.size);
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) {
      throw new Failure('bad-image', 'There is no image file.', { subject: path, nextStep: 'Check the path.' });
    }
    throw fileFailure(error, 'The image cannot be read.', path);
  }
}

function tooLarge(path: string, bytes: number): Failure {
  const sentence = `The image file takes ${byteText(bytes)}; ${byteText(LARGEST_INPUT_BYTES)} are possible.`;
  return new Failure('bad-image', sentence, { subject: path, nextStep: 'Make it smaller, then try again.' });
}
