import { readAvi } from '../../gallery/avi';
import { readImageFile } from '../../gallery/png/png-file';
import type { ExaminedImage } from '../../gallery/png/png-look';

/** Counts the frames of a video; its pixels are not judged. @throws Failure 'bad-image', 'file-access' */
export async function inspectVideo(path: string): Promise<ExaminedImage> {
  const { width, height, ...video } = readAvi(await readImageFile(path));
  return { width, height, look: { kind: 'unjudged' }, video };
}
