import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { GeneratedImage } from '../../../shared/generation';
import { digestOf } from '../../gallery/incoming-image';
import { makeDirectoryDurably, writeFileDurably } from '../../platform/durable-files';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';
import type { Services } from '../services';
import type { BatchItem } from './expand';

/**
 * Copies the images of a batch into a folder, under names that are the same whenever and wherever it is done: the number
 * of the item, its model, its seed. What is there under such a name is replaced unless it is the image.
 * @param images by item, from 0
 * @param folder absolute; made if need be
 * @throws Failure 'file-access', 'disk-full'
 */
export async function exportBatch(
  { images: gallery }: Pick<Services, 'images'>,
  items: readonly BatchItem[],
  images: ReadonlyMap<number, GeneratedImage>,
  folder: string
): Promise<void> {
  const digits = String(items.length).length;
  try {
    await makeDirectoryDurably(folder);
  } catch (error) {
    throw fileFailure(error, 'The folder for the images cannot be made.', folder);
  }
  for (const [index, { id, seed, path: kept }] of images) {
    const number = String(index + 1).padStart(digits, '0');
    const path = join(folder, `${number}-${items[index]?.model ?? ''}-${seed}${extname(kept)}`);
    try {
      if (!(await holds(path, id))) await writeFileDurably(path, await gallery.read(id));
    } catch (error) {
      throw fileFailure(error, 'The image cannot be written there; it is in the gallery.', path);
    }
  }
}

async function holds(path: string, id: string): Promise<boolean> {
  try {
    return digestOf(await readFile(path)) === id;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    throw error;
  }
}
