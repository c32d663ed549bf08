import type { Uri } from 'vscode';
import { sayFailed } from '../support/messages';
import { chooseImage } from './choose-image';
import { type GenerateParts, generate } from './generate';
import { imageInView } from './image-in-view';

/**
 * Generates an image that begins with another one instead of noise.
 * @param target undefined: the image that is open, else one that the user chooses
 */
export async function generateFromImage(parts: GenerateParts, target: Uri | undefined): Promise<void> {
  try {
    const image = target ?? imageInView() ?? (await chooseImage('Generate from which image?', 'Generate from This'));
    if (image) await generate(parts, undefined, { init_image: image.fsPath });
  } catch (error) {
    sayFailed(parts.log, error);
  }
}
