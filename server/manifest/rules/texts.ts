import type { NodeType } from 'jsonc-parser';
import type * as z from 'zod';
import { nearMiss } from '../recognition/near-miss';

/** Says which fields an object lacks. */
export function missingFieldsText(names: readonly string[]): string {
  const listed = names.map((name) => `“${name}”`).join(', ');
  return names.length === 1 ? `The field ${listed} is missing; add it.` : `The fields ${listed} are missing; add them.`;
}

/** What other tools call our roles. */
const ROLE_NAMES_ELSEWHERE = new Map([
  ['checkpoint', 'model'],
  ['unet', 'diffusion_model'],
  ['transformer', 'diffusion_model'],
  ['t5', 't5xxl'],
  ['esrgan', 'upscale_model'],
  ['upscaler', 'upscale_model'],
  ['textual_inversion', 'embedding']
]);

/** Says that a text is none of those that a field takes, and which was probably meant. */
export function optionText(issue: z.core.$ZodIssueInvalidValue, written: string): string {
  const options = issue.values.map(String);
  const meant = meantOption(written, options);
  const advice = meant === undefined ? `use one of ${options.join(', ')}.` : `did you mean “${meant}”?`;
  return `“${excerpt(written)}” is not known for ${fieldName(issue)}; ${advice}`;
}

/** The option that somebody most likely meant; undefined when none is near. */
export function meantOption(written: string, options: readonly string[]): string | undefined {
  const elsewhere = ROLE_NAMES_ELSEWHERE.get(written.toLowerCase());
  return elsewhere !== undefined && options.includes(elsewhere) ? elsewhere : nearMiss(written, options);
}

/** Says what is wrong with a value that the schema refuses. */
export function issueText(issue: z.core.$ZodIssue, actual: NodeType): string {
  const field = fieldName(issue);
  switch (issue.code) {
    case 'invalid_type': {
      const expected = EXPECTED_TYPES.get(issue.expected) ?? issue.expected;
      if (issue.expected === 'int' && actual === 'number') return `${field} must be ${expected}.`;
      return `${field} must be ${expected}, not ${ACTUAL_TYPES[actual]}.`;
    }
    case 'invalid_value':
      return `${field} must be one of the texts ${issue.values.join(', ')}.`;
    case 'too_small':
      if (issue.origin === 'array') return `${field} is empty; list at least one.`;
      if (issue.origin === 'string') return `${field} is empty; fill it in or leave it out.`;
      return `${field} must be at least ${issue.minimum}.`;
    case 'too_big':
      return `${field} must be at most ${issue.maximum}.`;
    default:
      return issue.message;
  }
}

/** At most 40 characters of what somebody wrote, so that a message stays readable. */
export function excerpt(text: string): string {
  const characters = Array.from(text.slice(0, 82));
  return characters.length > 40 ? `${characters.slice(0, 39).join('')}…` : text;
}

const EXPECTED_TYPES = new Map<string, string>([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['object', 'an object'],
  ['array', 'a list']
]);

const ACTUAL_TYPES: Record<NodeType, string> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  object: 'an object',
  array: 'a list',
  property: 'a field'
};

/** The field that an issue is about, as the subject of a sentence. */
function fieldName(issue: z.core.$ZodIssue): string {
  const last = issue.path.at(-1);
  if (last === undefined) return 'The manifest';
  return typeof last === 'number' ? `Entry ${last + 1} of “${String(issue.path.at(-2))}”` : `“${String(last)}”`;
}
