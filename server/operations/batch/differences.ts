import { isDeepStrictEqual } from 'node:util';
import type { BatchDefinition } from './definition';

const FIELDS = ['models', 'prompts', 'seeds', 'options', 'items'] as const;

/**
 * What a batch asks for that it did not ask for when the job began.
 * @returns one sentence about the first difference; undefined when there is none
 */
export function differenceOf(then: BatchDefinition, now: BatchDefinition): string | undefined {
  for (const field of FIELDS) {
    const [before, after]: readonly unknown[] = [then[field], now[field]];
    if (isDeepStrictEqual(before, after)) continue;
    if (!Array.isArray(before) || !Array.isArray(after)) return `“${field}” is not what it was when the batch began.`;
    if (before.length !== after.length) {
      return `The batch began with ${before.length} entries in “${field}”, and now has ${after.length}.`;
    }
    const at = before.findIndex((entry, index) => !isDeepStrictEqual(entry, after[index]));
    return `Entry ${at + 1} of “${field}” is not what it was when the batch began.`;
  }
  return undefined;
}
