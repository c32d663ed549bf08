import { copyFile, mkdir } from 'node:fs/promises';
import { format, parse } from 'node:path';
import type { GeneratedImage } from '../../../shared/generation';
import { fileFailure } from '../../platform/system-error';

/**
 * Copies images out of the gallery: one under the name that was asked for, several numbered from 1. Their folder is made
 * if need be.
 * @param to absolute path
 * @throws Failure 'file-access' or 'disk-full'
 */
export async function exportImages(images: readonly GeneratedImage[], to: string): Promise<void> {
  const { dir, name, ext } = parse(to);
  for (const [index, { path }] of images.entries()) {
    const target = images.length === 1 ? to : format({ dir, name: `${name}-${index + 1}`, ext });
    try {
      await mkdir(dir, { recursive: true });
      await copyFile(path, target);
    } catch (error) {
      throw fileFailure(error, 'The image cannot be written there; it is in the gallery.', target);
    }
  }
}
