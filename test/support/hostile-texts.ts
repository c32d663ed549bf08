/** A text that nobody would send on purpose. */
export interface HostileText {
  readonly name: string;
  readonly text: string;
}

const MANIFEST = `{
  "name": "tiny",
  "note": "😀 \\u00e9 \\"quoted\\" 𝔘",
  "files": [
    { "role": "model", "url": "hf:o/r@main/a.gguf", "filename": "a.gguf", "size_bytes": 12 },
    { "role": "lora", "url": "https://example.com/b.gguf", "filename": "b.gguf", "pieces": { "size": 4, "sha256": [] } }
  ],
  "defaults": { "width": 512, "cfg_scale": -0.5e1, "flow_shift": null, "x": [true, false] }
}
`;

const TOKENS = Array.from(MANIFEST.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g), (match) => ({
  text: match[0],
  start: match.index,
  end: match.index + match[0].length
}));

/** A manifest with something in the place of its size. */
function withSize(size: string): string {
  return MANIFEST.replace('12', () => size);
}

/** A manifest with more fields at its end. */
function withMore(fields: string): string {
  return MANIFEST.replace(/\n\}\n$/, () => `,\n${fields}\n}\n`);
}

const truncated = TOKENS.flatMap(({ text, start, end }) => {
  const cuts = text.length > 1 ? [start, Math.floor((start + end) / 2)] : [start];
  return cuts.map((cut) => ({ name: `cut at ${cut}, in ${text}`, text: MANIFEST.slice(0, cut) }));
});

const withoutToken = TOKENS.map(({ text, start, end }) => ({
  name: `without ${text} at ${start}`,
  text: MANIFEST.slice(0, start) + MANIFEST.slice(end)
}));

const twiceAToken = TOKENS.map(({ text, start, end }) => ({
  name: `twice ${text} at ${start}`,
  text: MANIFEST.slice(0, end) + MANIFEST.slice(start)
}));

const SCRAPS = [
  '\0',
  '\u0007',
  '\ud83d',
  '\ude00',
  '\ufeff',
  '\u2028',
  '\u202e',
  '\r',
  '// x\n',
  '/* x */',
  '/*',
  "'",
  '\\',
  '`',
  'e\u0301'
];

/** Each scrap at each of five places: between entries, in a name, in a text, in a number, at the end. */
const withScraps = SCRAPS.flatMap((scrap) =>
  [
    MANIFEST.indexOf('{ "role"'),
    MANIFEST.indexOf('ilename'),
    MANIFEST.indexOf('.gguf'),
    MANIFEST.indexOf('12') + 1,
    MANIFEST.length
  ].map((at) => ({
    name: `${JSON.stringify(scrap)} at ${at}`,
    text: MANIFEST.slice(0, at) + scrap + MANIFEST.slice(at)
  }))
);

const NUMBERS = [
  '1e999',
  '-1e999',
  '-0',
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  'NaN',
  'Infinity',
  '-',
  '1e',
  '1e+',
  '1_000',
  '1n',
  '9'.repeat(20_000),
  `0.${'1'.repeat(20_000)}`,
  `1e${'9'.repeat(400)}`,
  '9007199254740993',
  '1,2'
];

const STRINGS = [
  '"a',
  '"a\n"',
  '"a\t"',
  '"\\x"',
  '"\\u12"',
  '"\\ud800"',
  '"\\ude00\\ud83d"',
  '"\\',
  "'a'",
  '“a”',
  '"\u0000"',
  `"${'x'.repeat(100_000)}"`,
  `"${'😀'.repeat(50_000)}"`,
  '"\\u0000"',
  '"</script>"',
  '"${x}"',
  '"[x](command:y)"'
];

const NESTING = ['[', '{"a":', '[{"a":', '{"files":[', '{"files":[{"pieces":'].flatMap((opening) =>
  [10, 63, 64, 65, 5000, 100_000].map((depth) => ({ name: `${depth} times ${opening}`, text: opening.repeat(depth) }))
);

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  '0',
  '',
  '\\u0000',
  'files',
  'name',
  'defaults',
  '$schema'
];

const WHOLE = [
  '',
  ' ',
  '\n',
  '\ufeff',
  '\0\0{\0',
  '\ufffd\ufffd',
  '"',
  '""',
  '0',
  'null',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '//',
  '/*',
  '{}{}',
  '[1]2',
  `${MANIFEST}${MANIFEST}`,
  '{"files":[]}',
  '{"files":[{}]}',
  '{"files":[null,1,"a",[],{}]}',
  '{"files":{}}',
  '{"name":{},"files":[[[]]]}'
];

const LINES = ['\r', '\r\n', '\n\r', '\u2028', '\v'].flatMap((end) => [
  { name: `lines end with ${JSON.stringify(end)}`, text: MANIFEST.replaceAll('\n', end) },
  { name: `the same, cut`, text: MANIFEST.replaceAll('\n', end).slice(0, -4) }
]);

/** Hundreds of texts that hold most of what can be wrong with JSON, and with a manifest in particular. */
export const HOSTILE_TEXTS: readonly HostileText[] = [
  ...truncated,
  ...withoutToken,
  ...twiceAToken,
  ...withScraps,
  ...NESTING,
  ...LINES,
  ...NUMBERS.map((number) => ({ name: `the size ${number.slice(0, 30)}`, text: withSize(number) })),
  ...STRINGS.map((string) => ({ name: `the text ${string.slice(0, 30)}`, text: withMore(`"license": ${string}`) })),
  ...NAMES.map((name) => ({ name: `“${name}” twice`, text: withMore(`"${name}": 1, "${name}": { "a": [] }`) })),
  ...WHOLE.map((text) => ({ name: `just ${JSON.stringify(text.slice(0, 30))}`, text })),
  { name: 'a byte order mark in front', text: `\ufeff${MANIFEST}` },
  { name: 'two byte order marks in front', text: `\ufeff\ufeff${MANIFEST}` },
  { name: 'a comma behind the last entry', text: MANIFEST.replace('] }\n  ]', '] },\n  ]') },
  { name: 'everything in one line', text: MANIFEST.replaceAll('\n', '') },
  { name: 'one file too many', text: `{"files":[${'{"role":"vae"},'.repeat(10_000)}{}]}` },
  {
    name: 'twenty thousand names',
    text: withMore(Array.from({ length: 20_000 }, (_, index) => `"n${index}":0`).join())
  }
];
