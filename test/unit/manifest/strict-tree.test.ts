import * as fc from 'fast-check';
import { type ParseError, parseTree } from 'jsonc-parser';
import { expect, it } from 'vitest';
import { strictTree } from '../../../server/manifest/text/strict-tree';
import { textLimit } from '../../../server/manifest/text/text-limits';
import { almostJson, PARTS } from './almost-json';

const LIMITS = { depth: 64, values: 300_000 };

const anyText = fc.oneof(
  almostJson,
  fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join(''))
);

it('reads what the parser that recovers from errors takes without one, and reads the same of it', () => {
  let read = 0;
  const property = fc.property(anyText, (text) => {
    const errors: ParseError[] = [];
    const tree = parseTree(text, errors, {
      disallowComments: true,
      allowTrailingComma: false,
      allowEmptyContent: false
    });
    const expected = errors.length === 0 ? tree : undefined;
    const strict = strictTree(text, LIMITS);
    if (strict) read++;
    expect(strict).toEqual(expected);
  });
  fc.assert(property, { numRuns: 3000, seed: 20_262 });
  expect(read).toBeGreaterThan(500);
});

it('takes exactly as much as the limits allow', () => {
  for (const text of [nested(64), nested(65), listed(300_000), listed(300_001), `${listed(299_990)} `]) {
    expect(strictTree(text, LIMITS) === undefined).toBe(textLimit(text) !== undefined);
  }
});

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function listed(values: number): string {
  return `[${'1,'.repeat(values - 2)}1]`;
}
