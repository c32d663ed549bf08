import { extname, join } from 'node:path';
import type { GeneratedImage } from '../../../shared/generation';
import { parseImageId } from '../../gallery/incoming-image';
import { makeDirectoryDurably } from '../../platform/durable-files';
import { fileFailure } from '../../platform/system-error';
import { exportFile } from '../gallery/exported-file';
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
  try {
    await makeDirectoryDurably(folder);
  } catch (error) {
    throw fileFailure(error, 'The folder for the images cannot be made.', folder);
  }
  for (const [index, image] of images) {
    const path = join(folder, imageName(items, index, image));
    try {
      await exportFile(path, parseImageId(image.id), () => gallery.read(image.id));
    } catch (error) {
      throw fileFailure(error, 'The image cannot be written there; it is in the gallery.', path);
    }
  }
}

/** What the image of an item is called outside the gallery. @param index of the item, from 0 */
export function imageName(
  items: readonly BatchItem[],
  index: number,
  { seed, path }: Pick<GeneratedImage, 'seed' | 'path'>
): string {
  const number = String(index + 1).padStart(String(items.length).length, '0');
  return `${number}-${items[index]?.model ?? ''}-${seed}${extname(path)}`;
}
