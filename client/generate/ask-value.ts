import { window } from 'vscode';
import type { GenerationRequest } from '../../shared/generation';

/** What counts where neither a request nor the model says anything. */
export const ENGINE_DEFAULT = "the engine's default";

/** Values of a request that are numbers, and that nobody has to give. */
export type NumberSetting = 'images' | 'strength' | 'control_strength' | 'steps' | 'cfg_scale' | 'guidance';

/** What a number is asked for by. */
export interface NumberQuestion {
  readonly title: string;
  /** Says which numbers are right, for it is shown with a wrong one, too. */
  readonly prompt: string;
  readonly isValid: (value: number) => boolean;
}

/**
 * Asks for a number, which may be left out.
 * @param present what is set at the moment
 * @returns undefined when the user leaves, an empty object when the number is left out
 */
export async function askNumber(
  { title, prompt, isValid }: NumberQuestion,
  present: number | undefined
): Promise<{ readonly value?: number } | undefined> {
  const text = await window.showInputBox({
    title,
    prompt,
    value: String(present ?? ''),
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' || isValid(Number(value)) ? undefined : prompt)
  });
  if (text === undefined) return undefined;
  return text.trim() === '' ? {} : { value: Number(text) };
}

/** Asks for one number of a request. @returns the request as it was when the user leaves */
export async function askSetting(
  request: GenerationRequest,
  setting: NumberSetting,
  question: NumberQuestion
): Promise<GenerationRequest> {
  const answer = await askNumber(question, request[setting]);
  if (!answer) return request;
  const { [setting]: _, ...others } = request;
  return answer.value === undefined ? others : { ...others, [setting]: answer.value };
}

/** Whether a number is whole and in a range. */
export function isWhole(value: number, from: number, to: number): boolean {
  return Number.isInteger(value) && isBetween(value, from, to);
}

/** Whether a number is in a range. */
export function isBetween(value: number, from: number, to: number): boolean {
  return value >= from && value <= to;
}
