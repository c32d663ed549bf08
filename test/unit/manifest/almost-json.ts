import * as fc from 'fast-check';

/** What JSON is made of, and what only looks like it. */
export const PARTS = [
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

/** JSON with up to three changes. */
export const almostJson = fc
  .tuple(anyJson, fc.array(fc.tuple(fc.nat(), fc.constantFrom('', ...PARTS), fc.nat({ max: 2 })), { maxLength: 3 }))
  .map(([json, edits]) =>
    edits.reduce((text, [at, part, removed]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + part + text.slice(start + removed);
    }, json)
  );
