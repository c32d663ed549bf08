import * as fc from 'fast-check';
import { type ParseError, parseTree } from 'jsonc-parser';
import { expect, it } from 'vitest';
import { strictTree } from '../../../server/manifest/strict-tree';
import { textLimit } from '../../../server/manifest/text-limits';

const LIMITS = { depth: 64, values: 300_000 };

const PARTS = [
  ...Array.from('{}[],:"\\ \t\n\r\v0.eE+-'),
  '\u00a0',
  '\u2028',
  '\ud800',
  '😀',
  '\0',
  '\u007f',
  '"a"',
  '"a":',
  '"\\u00e9\\ud83d\\n"',
  '"\\x"',
  '"\\u12"',
  '01',
  '1.',
  '1.50',
  '.5',
  '-0',
  '1e999',
  '1e+2',
  '-',
  'true',
  'false',
  'null',
  'nul',
  'NaN',
  '/*c*/',
  '//c\n',
  "'a'",
  '\ufeff'
];

const anyJson = fc
  .json({ maxDepth: 5 })
  .chain((json) =>
    fc.constantFrom(
      json,
      JSON.stringify(JSON.parse(json), null, 2),
      JSON.stringify(JSON.parse(json), null, '\t').replaceAll('\n', '\r\n')
    )
  );

const almostJson = fc
  .tuple(anyJson, fc.array(fc.tuple(fc.nat(), fc.constantFrom('', ...PARTS), fc.nat({ max: 2 })), { maxLength: 3 }))
  .map(([json, edits]) =>
    edits.reduce((text, [at, part, removed]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + part + text.slice(start + removed);
    }, json)
  );

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
