import { basename } from 'node:path';
import { type QuickPickItem, window } from 'vscode';
import { type GenerationRequest, MOST_IMAGES } from '../../shared/generation';
import { chooseImage } from './choose-image';

/** A setting of a request that is asked for only when somebody wants to change it. */
export type ImageSetting = 'images' | 'strength' | 'mask';

/** What a request says of the images that it makes and begins with, one entry a setting. */
export function imageChoices({
  images,
  init_image: image,
  strength,
  mask
}: GenerationRequest): (QuickPickItem & { readonly change?: ImageSetting })[] {
  const count = { label: '$(files) Images', description: String(images ?? 1), change: 'images' } as const;
  if (image === undefined) return [count];
  return [
    count,
    {
      label: '$(settings) Strength',
      description: strength === undefined ? "the engine's default" : String(strength),
      detail: 'How far the result may go from the image: from 0, not at all, to 1',
      change: 'strength'
    },
    {
      label: '$(paintcan) Mask',
      description: mask === undefined ? 'none: all of the image is made anew' : basename(mask),
      change: 'mask'
    }
  ];
}

/** Asks for one setting. @returns the request as it was when the user leaves */
export async function askImageSetting(
  title: string,
  request: GenerationRequest,
  setting: ImageSetting
): Promise<GenerationRequest> {
  switch (setting) {
    case 'images':
      return askNumber(request, setting, {
        title,
        prompt: `How many images, up to ${MOST_IMAGES}; each has the seed after that of the one before.`,
        isValid: (count) => Number.isInteger(count) && count >= 1 && count <= MOST_IMAGES
      });
    case 'strength':
      return askNumber(request, setting, {
        title,
        prompt: "From 0 to 1: how far the result may go from the image. Leave it empty for the engine's default.",
        isValid: (strength) => strength >= 0 && strength <= 1
      });
    case 'mask': {
      const mask = await chooseImage('Which mask? What is white in it is made anew.', 'Use as Mask');
      return mask ? { ...request, mask: mask.fsPath } : request;
    }
  }
}

interface NumberQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly isValid: (value: number) => boolean;
}

async function askNumber(
  request: GenerationRequest,
  setting: 'images' | 'strength',
  { title, prompt, isValid }: NumberQuestion
): Promise<GenerationRequest> {
  const text = await window.showInputBox({
    title,
    prompt,
    value: String(request[setting] ?? ''),
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' || isValid(Number(value)) ? undefined : prompt)
  });
  if (text === undefined) return request;
  const { [setting]: _, ...others } = request;
  return text.trim() === '' ? others : { ...others, [setting]: Number(text) };
}
