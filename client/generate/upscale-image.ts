import { basename } from 'node:path';
import { commands, Uri, window } from 'vscode';
import { UpscaleImage } from '../../shared/protocol';
import type { ModelList } from '../models/model-list';
import { SHOW_MODELS } from '../support/commands';
import { sayFailed, sayWarning } from '../support/messages';
import { engineTimeLimit } from '../support/settings';
import { chooseImage } from './choose-image';
import type { GenerateParts } from './generate';
import { imageInView } from './image-in-view';
import { modelRemedies } from './model-remedies';

/**
 * Enlarges an image with a model that is made for that, and opens the larger one.
 * @param target undefined: the image that is open, else one that the user chooses
 * @param wanted name of the model; absent: the user chooses among several
 */
export async function upscaleImage(parts: GenerateParts, target: Uri | undefined, wanted?: string): Promise<void> {
  try {
    const model = wanted ?? (await pickUpscaler(parts.models));
    if (model === undefined) return;
    const image = target ?? imageInView() ?? (await chooseImage('Enlarge which image?', 'Enlarge This'));
    if (image) await upscaleNow(parts, model, image);
  } catch (error) {
    sayFailed(parts.log, error);
  }
}

async function upscaleNow(parts: GenerateParts, name: string, image: Uri): Promise<void> {
  try {
    const title = `Enlarging ${basename(image.fsPath)}`;
    const { images, warnings } = await parts.jobs.run({ model: name, kind: 'generate', title }, async (token) => {
      const client = await parts.connection.client();
      const params = { name, path: image.fsPath, timeLimitMinutes: engineTimeLimit() };
      return client.sendRequest(UpscaleImage, params, token);
    });
    for (const { path } of images) await commands.executeCommand('vscode.open', Uri.file(path));
    if (warnings.length > 0) sayWarning(warnings.join(' '));
  } catch (error) {
    const retry = (): Promise<void> => upscaleNow(parts, name, image);
    sayFailed(parts.log, error, { about: name, retry, ...modelRemedies(parts, name) });
  }
}

/** Of a single one nobody is asked. */
async function pickUpscaler(models: ModelList): Promise<string | undefined> {
  const fitting = (await models.read()).filter(
    (model) => model.status === 'installed' && model.files.some(({ role }) => role === 'upscale_model')
  );
  const [first, ...others] = fitting;
  if (!first) {
    sayWarning('No model that enlarges images is installed. Pull one with a file of the role “upscale_model” first.', {
      title: 'Show Models',
      run: () => commands.executeCommand(SHOW_MODELS)
    });
    return undefined;
  }
  if (others.length === 0) return first.name;
  const names = fitting.map(({ name }) => ({ label: name }));
  return (await window.showQuickPick(names, { title: 'Enlarge with which model?' }))?.label;
}
