import { constants } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Failure } from '../../../shared/failure';
import { formatSidecar } from '../../gallery/sidecar';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';
import type { Services } from '../services';
import { findImage } from './find-image';

/** Digits of the id that name an exported file. */
const NAME_DIGITS = 16;

/** An image outside the gallery. */
export interface ExportedImage {
  readonly id: string;
  /** Absolute paths of the image and of its description. */
  readonly path: string;
  readonly description: string;
}

/**
 * Copies an image and its description into a folder, which is made if need be. Nothing is replaced there.
 * @param prefix its id or the beginning of it
 * @throws Failure 'image-missing', 'image-sidecar-missing', 'image-sidecar-unreadable', 'bad-request', 'file-access'
 */
export async function exportImage(
  services: Pick<Services, 'images'>,
  prefix: string,
  folder: string
): Promise<ExportedImage> {
  const { id, path: source, sidecar } = await findImage(services, prefix);
  const path = join(folder, `${id.slice(0, NAME_DIGITS)}${extname(source)}`);
  const description = join(folder, `${id.slice(0, NAME_DIGITS)}.json`);
  await made(path, async () => {
    await mkdir(folder, { recursive: true });
    await copyFile(source, path, constants.COPYFILE_EXCL);
  });
  try {
    await made(description, () => writeNew(description, formatSidecar(sidecar)));
  } catch (error) {
    // One without the other would be in the way of another attempt.
    await rm(path, { force: true });
    throw error;
  }
  return { id, path, description };
}

/** @throws Failure('file-access') that names the file */
async function made(path: string, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!isErrorWithCode(error, 'EEXIST')) throw fileFailure(error, 'The image cannot be exported there.', path);
    throw new Failure('file-access', 'There is already such a file in the folder; nothing is replaced.', {
      subject: path,
      nextStep: 'Choose another folder, or remove the file.',
      cause: error
    });
  }
}

/** Leaves no half of it. @throws system errors; EEXIST when there is one */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if (!isErrorWithCode(error, 'EEXIST')) await rm(path, { force: true });
    throw error;
  }
}
