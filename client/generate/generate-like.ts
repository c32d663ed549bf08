import type { Uri } from 'vscode';
import { FindRequest } from '../../shared/protocol';
import { sayFailed, sayWarning } from '../support/messages';
import { chooseImage } from './choose-image';
import { type GenerateParts, generate } from './generate';
import { imageInView } from './image-in-view';

/** Sentences about what could not be taken over that a message shows; the log has all. */
const SHOWN_SENTENCES = 3;

/**
 * Generates what an image says it was made by: the questions come with its values filled in.
 * @param target undefined: the image that is open, else one that the user chooses
 */
export async function generateLike(parts: GenerateParts, target: Uri | undefined): Promise<void> {
  try {
    const image = target ?? imageInView() ?? (await chooseImage('Generate like which image?', 'Generate Like This'));
    if (!image) return;
    const client = await parts.connection.client();
    const found = await client.sendRequest(FindRequest, { path: image.fsPath });
    const { leftOut, models, origin } = found;
    parts.log.info(`${image.fsPath} was made by ${origin} with ${models.join(', ')}. ${leftOut.join(' ')}`.trim());
    if (leftOut.length > 0) {
      const more = leftOut.length > SHOWN_SENTENCES ? ` The log tells ${leftOut.length - SHOWN_SENTENCES} more.` : '';
      sayWarning(`${leftOut.slice(0, SHOWN_SENTENCES).join(' ')}${more}`);
    }
    const isKnown = (await parts.models.read()).some(
      ({ name, status }) => name === found.model && status === 'installed'
    );
    await generate(parts, isKnown ? found.model : undefined, found.request);
  } catch (error) {
    sayFailed(parts.log, error);
  }
}
