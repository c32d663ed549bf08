import type { QuickPickItem } from 'vscode';
import { type GenerationRequest, MOST_IMAGES, type ModelInputs } from '../../shared/generation';
import { askSetting, ENGINE_DEFAULT, isBetween, isWhole } from './ask-value';
import { askInputImages, type InputImage, imageName } from './input-images';

/** A setting of a request that is asked for only when somebody wants to change it. */
export type ImageSetting = InputImage | 'images' | 'strength' | 'control_strength';

type ImageChoice = QuickPickItem & { readonly change?: ImageSetting };

/** What a request says of the images that it makes and takes, one entry a setting. @param inputs what the model takes */
export function imageChoices(request: GenerationRequest, inputs: ModelInputs): ImageChoice[] {
  const count = { label: '$(files) Images', description: String(request.images ?? 1), change: 'images' } as const;
  return [
    count,
    ...startChoices(request),
    ...(inputs.references && request.init_image === undefined ? [referenceChoice(request)] : []),
    ...(inputs.controlImage ? controlChoices(request) : [])
  ];
}

function startChoices({ init_image: image, strength, mask }: GenerationRequest): ImageChoice[] {
  if (image === undefined) return [];
  return [
    { label: '$(file-media) Start Image', description: imageName(image), change: 'init_image' },
    {
      label: '$(settings) Strength',
      description: String(strength ?? ENGINE_DEFAULT),
      detail: 'How far the result may go from the image: from 0, not at all, to 1',
      change: 'strength'
    },
    {
      label: '$(paintcan) Mask',
      description: mask === undefined ? 'none: all of the image is made anew' : imageName(mask),
      change: 'mask'
    }
  ];
}

function referenceChoice({ references = [] }: GenerationRequest): ImageChoice {
  return {
    label: '$(references) Reference Images',
    description: references.length === 0 ? 'none' : references.map(imageName).join(', '),
    detail: 'Images that the prompt speaks of',
    change: 'references'
  };
}

function controlChoices({ control_image: image, control_strength: strength }: GenerationRequest): ImageChoice[] {
  const choice = {
    label: '$(symbol-ruler) Control Image',
    description: image === undefined ? 'none' : imageName(image),
    detail: 'What the ControlNet goes by',
    change: 'control_image'
  } as const;
  if (image === undefined) return [choice];
  const description = String(strength ?? ENGINE_DEFAULT);
  return [choice, { label: '$(settings) Control Strength', description, change: 'control_strength' }];
}

/** Asks for one setting. @returns the request as it was when the user leaves */
export async function askImageSetting(
  title: string,
  request: GenerationRequest,
  setting: ImageSetting
): Promise<GenerationRequest> {
  switch (setting) {
    case 'images':
      return askSetting(request, setting, {
        title,
        prompt: `How many images, up to ${MOST_IMAGES}; each has the seed after that of the one before.`,
        isValid: (count) => isWhole(count, 1, MOST_IMAGES)
      });
    case 'strength':
      return askSetting(request, setting, {
        title,
        prompt: "From 0 to 1: how far the result may go from the image. Leave it empty for the engine's default.",
        isValid: (strength) => isBetween(strength, 0, 1)
      });
    case 'control_strength':
      return askSetting(request, setting, {
        title,
        prompt: "From 0 to 1: how closely it goes by the image. Leave it empty for the engine's default.",
        isValid: (strength) => isBetween(strength, 0, 1)
      });
    case 'init_image':
    case 'mask':
    case 'references':
    case 'control_image':
      return askInputImages(title, request, setting);
  }
}
