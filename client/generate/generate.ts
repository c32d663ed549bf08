import { commands, window } from 'vscode';
import type { PartialRequest } from '../../shared/found-request';
import type { GeneratedImage, GenerationChoices } from '../../shared/generation';
import { isUpscaler, type ModelSummary } from '../../shared/model';
import { ChoicesOfModel, Generate } from '../../shared/protocol';
import type { ActionParts } from '../models/action-parts';
import type { ModelList } from '../models/model-list';
import { SHOW_MODELS } from '../support/commands';
import { sayDone, sayFailed, sayWarning } from '../support/messages';
import { engineSettings, engineTimeLimit, showsPreviews } from '../support/settings';
import { askRequest, type Wish } from './ask-request';
import { modelRemedies } from './model-remedies';
import { openImage } from './open-image';
import type { RememberedSampling } from './remembered-sampling';

/** What generating works with. */
export interface GenerateParts extends ActionParts {
  readonly models: ModelList;
  readonly sampling: RememberedSampling;
}

/**
 * Makes an image and opens it.
 * @param model undefined: the user chooses among the installed ones
 * @param prefilled what the questions begin with
 */
export async function generate(
  parts: GenerateParts,
  model: string | undefined,
  prefilled: PartialRequest = {}
): Promise<void> {
  try {
    const name = model ?? (await pickInstalled(parts.models));
    if (name === undefined) return;
    const { remotes, device: usualDevice } = engineSettings();
    const background = { model: name, choices: choicesFor(parts, name), devices: Object.keys(remotes), usualDevice };
    // What was found in an image says all that it means.
    const isFound = prefilled.prompt !== undefined;
    const wish = await askRequest(background, isFound ? prefilled : { ...parts.sampling.of(name), ...prefilled });
    if (!wish) return;
    if (!isFound) parts.sampling.remember(name, wish.request);
    await generateNow(parts, name, wish);
  } catch (error) {
    sayFailed(parts.log, error);
  }
}

/** What is wrong with the model the run itself will say, with the way out. */
async function choicesFor({ connection }: GenerateParts, name: string): Promise<GenerationChoices> {
  try {
    const client = await connection.client();
    return await client.sendRequest(ChoicesOfModel, { name });
  } catch {
    return NO_CHOICES;
  }
}

const NO_CHOICES: GenerationChoices = {
  inputs: { references: false, controlImage: false },
  settings: [],
  samplingMethods: [],
  schedulers: [],
  defaults: {}
};

async function generateNow(parts: GenerateParts, name: string, { request, device }: Wish): Promise<void> {
  try {
    const title = `Generating with ${name}`;
    const result = await parts.jobs.run({ model: name, kind: 'generate', title }, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(
        Generate,
        { name, request, preview: showsPreviews(), timeLimitMinutes: engineTimeLimit(), device },
        token
      );
    });
    for (const image of result.images) await show(image);
    if (result.warnings.length > 0) sayWarning(result.warnings.join(' '));
  } catch (error) {
    sayFailed(parts.log, error, {
      about: name,
      retry: () => generateNow(parts, name, { request, device }),
      ...modelRemedies(parts, name)
    });
  }
}

/** Another program opens for a video, so nobody is surprised by it. */
async function show(image: GeneratedImage): Promise<void> {
  if (image.frames === undefined) await openImage(image);
  else sayDone(`The video is made (${image.frames} frames).`, { title: 'Open', run: () => openImage(image) });
}

async function pickInstalled(models: ModelList): Promise<string | undefined> {
  const all = await models.read();
  const installed = all.filter((other) => other.status === 'installed' && !isUpscaler(other));
  if (installed.length === 0) {
    sayWarning('No model is installed. Pull one first.', {
      title: 'Show Models',
      run: () => commands.executeCommand(SHOW_MODELS)
    });
    return undefined;
  }
  const chosen = await window.showQuickPick(installed.map(pickItem), { title: 'Generate with which model?' });
  return chosen?.label;
}

function pickItem({ name, task }: ModelSummary): { label: string; description?: string } {
  return { label: name, ...(task !== undefined && { description: task }) };
}
