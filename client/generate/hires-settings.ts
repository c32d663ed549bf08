import type { QuickPickItem } from 'vscode';
import type { GenerationRequest } from '../../shared/generation';
import { askNumber, ENGINE_DEFAULT, isBetween, isWhole, type NumberQuestion } from './ask-value';

type Hires = NonNullable<GenerationRequest['hires']>;

/** What of a second pass is to be changed: whether there is one, and how much larger; or how it is made. */
export type HiresChange = 'hires' | 'hires-strength' | 'hires-steps';

/** How a second pass is made, one entry a setting. */
export function hiresEntries({ strength, steps }: Hires): (QuickPickItem & { readonly change: HiresChange })[] {
  return [
    { label: '$(settings) Hires Strength', description: String(strength ?? ENGINE_DEFAULT), change: 'hires-strength' },
    { label: '$(list-ordered) Hires Steps', description: String(steps ?? ENGINE_DEFAULT), change: 'hires-steps' }
  ];
}

const HIRES_QUESTIONS: Readonly<Record<keyof Hires, Omit<NumberQuestion, 'title'>>> = {
  scale: {
    prompt: 'From 1 to 8: how many times wider and higher a second pass makes the image. Leave it empty for none.',
    isValid: (scale) => isBetween(scale, 1, 8)
  },
  strength: {
    prompt: "From 0 to 1: how far the second pass may go from the first. Leave it empty for the engine's default.",
    isValid: (strength) => isBetween(strength, 0, 1)
  },
  steps: {
    prompt: "Steps of the second pass, from 1 to 1000. Leave it empty for the engine's default.",
    isValid: (steps) => isWhole(steps, 1, 1000)
  }
};

/** What a second pass begins with when somebody wants one. */
const USUAL_SCALE = 2;

/** Asks for one setting of the second pass. @returns the request as it was when the user leaves */
export async function askHires(
  title: string,
  request: GenerationRequest,
  change: HiresChange
): Promise<GenerationRequest> {
  const { hires, ...others } = request;
  if (change === 'hires') {
    const answer = await askNumber({ title, ...HIRES_QUESTIONS.scale }, hires?.scale ?? USUAL_SCALE);
    if (!answer) return request;
    return answer.value === undefined ? others : { ...others, hires: { ...hires, scale: answer.value } };
  }
  if (!hires) return request;
  const field = change === 'hires-strength' ? 'strength' : 'steps';
  const answer = await askNumber({ title, ...HIRES_QUESTIONS[field] }, hires[field]);
  if (!answer) return request;
  const { [field]: _, ...rest } = hires;
  return { ...others, hires: answer.value === undefined ? rest : { ...rest, [field]: answer.value } };
}
