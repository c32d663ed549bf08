import * as z from 'zod';

/** A whole number in a range; the message completes a sentence that begins with the field. */
export function wholeNumber(least: number, most: number): z.ZodInt {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z.int(rule).min(least, rule).max(most, rule);
}

/** A number in a range. */
export function numberBetween(least: number, most: number): z.ZodNumber {
  const rule = `must be a number from ${least} to ${most}`;
  return z.number(rule).min(least, rule).max(most, rule);
}

/** Yes or no. */
export function truth(): z.ZodBoolean {
  return z.boolean('must be true or false');
}

/** A text that says something. */
export function filledText(): z.ZodString {
  return z.string('must be a text').min(1, 'must not be empty');
}
