import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../server/weights/headers/safetensors';
import { memorySource } from '../../support/weights/memory-source';
import { safetensorsFile, safetensorsStart, type WantedTensor } from '../../support/weights/safetensors-file';

const TENSORS: readonly WantedTensor[] = [
  { name: 'first', dtype: 'F16', shape: [2, 3] },
  { name: 'scalar', dtype: 'F32', shape: [] },
  { name: 'empty', dtype: 'F32', shape: [0, 4] },
  { name: 'größe 😀 "q"\n', dtype: 'F4', shape: [4] }
];

const read = (start: Buffer, size?: number) => readSafetensors(memorySource(start, size));

/** The header of one tensor, and the fields of it that are not as they should be. */
function oneTensor(fields: Readonly<Record<string, unknown>>): Buffer {
  return safetensorsStart(JSON.stringify({ t: { dtype: 'F16', shape: [2, 3], data_offsets: [0, 12], ...fields } }));
}

/** Two tensors; the first has the bytes up to 12. */
function twoTensors(from: number, to: number): Buffer {
  const a = { dtype: 'F16', shape: [6], data_offsets: [0, 12] };
  return safetensorsStart(JSON.stringify({ a, b: { dtype: 'U8', shape: [to - from], data_offsets: [from, to] } }));
}

async function refusal(start: Buffer, size = start.length + 12): Promise<string> {
  const error: unknown = await read(start, size).then(
    () => undefined,
    (thrown: unknown) => thrown
  );
  expect(error).toMatchObject({ code: 'bad-weights', subject: 'model.bin', nextStep: expect.any(String) });
  return (error as Error).message;
}

describe('a safetensors header', () => {
  it('tells of tensors and metadata, and nothing behind it is read', async () => {
    const { start, size } = safetensorsFile(TENSORS, { format: 'pt', note: 'ä'.repeat(3000) });
    const source = memorySource(start, size + 0);
    const header = await readSafetensors(source);
    expect(header.tensors).toEqual([
      { name: 'first', dtype: 'F16', shape: [2, 3], elements: 6, bytes: 12, offset: 0 },
      { name: 'scalar', dtype: 'F32', shape: [], elements: 1, bytes: 4, offset: 12 },
      { name: 'empty', dtype: 'F32', shape: [0, 4], elements: 0, bytes: 0, offset: 16 },
      { name: 'größe 😀 "q"\n', dtype: 'F4', shape: [4], elements: 4, bytes: 2, offset: 16 }
    ]);
    expect([...header.metadata]).toEqual([['format', 'pt']]);
    expect(header.headerBytes).toBe(start.length);
    expect(source.bytesRead()).toBe(start.length);
  });

  it('is the same in any order of tensors and fields, and with any white space', async () => {
    const text = ` {
      "b": { "data_offsets": [4, 8], "shape": [1], "dtype": "F32" },\t\r
      "__metadata__": {},
      "a": { "shape": [ 1 ], "dtype": "F32", "data_offsets": [0, 4] } }  `.trim();
    const start = safetensorsStart(text);
    const { tensors } = await read(start, start.length + 8);
    expect(tensors.map(({ name, offset }) => [name, offset])).toEqual([
      ['b', 4],
      ['a', 0]
    ]);
  });

  it('is read in pieces that do not end where anything else does', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => ({
      name: `block.${index}.${'x'.repeat(index % 90)}.weight`,
      dtype: 'BF16',
      shape: [1 + (index % 7), 2]
    }));
    const { start, size } = safetensorsFile(many, { words: 'w'.repeat(1_000_000), short: 'kept' });
    const { tensors, metadata } = await read(start, size);
    expect(tensors.map(({ name, shape }) => ({ name, dtype: 'BF16', shape }))).toEqual(many);
    expect([...metadata.keys()]).toEqual(['short']);
  });
});

describe('a hostile safetensors header', () => {
  it.each([0n, 7n, 100_000_001n, 2n ** 63n])('is refused with the length %s', async (length) => {
    const start = oneTensor({});
    start.writeBigUInt64LE(length);
    expect(await refusal(start)).toMatch(/^The header is damaged: .+ \(at byte \d+\)\.$/);
  });

  it.each([
    ['text that is not UTF-8', Buffer.from([...Buffer.from('{"'), 0xff, ...Buffer.from('":{}}')])],
    ['a cut text', '{"t": {"dtype": "F16", "shape": [2,'],
    ['no object', '[]'],
    ['a comma too many', '{"t":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},}'],
    ['a second value', '{} {}'],
    [
      'a key twice',
      '{"t":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"t":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}'
    ],
    [
      'a key twice, once escaped',
      '{"t":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"\\u0074":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}'
    ],
    ['a field twice', '{"t":{"dtype":"F16","dtype":"F16","shape":[6],"data_offsets":[0,12]}}'],
    ['a field that means nothing', '{"t":{"dtype":"F16","shape":[6],"data_offsets":[0,12],"run":1}}'],
    ['half a surrogate pair', '{"\\ud800":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}'],
    ['a bad escape', '{"\\x":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}'],
    ['a control character', '{"\u0001":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}'],
    ['metadata that is no text', '{"__metadata__":{"n":1}}'],
    ['metadata that is no object', '{"__metadata__":"x"}'],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}'],
    ['a pair of metadata twice', '{"__metadata__":{"a":"1","a":"2"}}']
  ])('is refused for %s', async (_, header) => {
    expect(await refusal(safetensorsStart(header))).toMatch(/^The header is damaged: /);
  });

  it.each([
    ['an unknown type', { dtype: 'F17' }],
    ['a type that is a number', { dtype: 1 }],
    ['a negative extent', { shape: [-1, 2] }],
    ['a broken extent', { shape: [1.5, 4] }],
    ['an extent that is not exact', { shape: [9_007_199_254_740_993n.toString()] }],
    ['a shape whose product overflows', { shape: [2 ** 40, 2 ** 40] }],
    ['too many dimensions', { shape: [1, 1, 1, 1, 1, 1, 1, 6, 1] }],
    ['a shape that has not the size of its place', { shape: [7] }],
    ['three offsets', { data_offsets: [0, 12, 12] }],
    ['one offset', { data_offsets: [0] }],
    ['no place', { data_offsets: undefined }],
    ['reversed offsets', { data_offsets: [12, 0] }]
  ])('is refused for %s', async (_, fields) => {
    expect(await refusal(oneTensor(fields))).toMatch(/^The header is damaged: /);
  });

  it('is refused when two tensors share bytes, and when bytes belong to none', async () => {
    expect(await refusal(twoTensors(11, 13))).toBe(
      'The header is damaged: two tensors lie on the same bytes (at “b”).'
    );
    expect(await refusal(twoTensors(13, 14))).toBe(
      'The header is damaged: bytes before a tensor belong to none (at “b”).'
    );
  });

  it('tells a file that was cut off, or that something was added to, with both lengths', async () => {
    const start = oneTensor({});
    expect(await refusal(start, start.length + 11)).toBe(
      `The file is cut off: it has ${start.length + 11} bytes, and its header speaks of ${start.length + 12}.`
    );
    expect(await refusal(start, start.length + 13)).toMatch(/^Something was added to the file/);
  });

  it('shows a name without what would move the text around it', async () => {
    const header = `{"a\u202eb${'c'.repeat(200)}":{"dtype":"F17","shape":[],"data_offsets":[0,0]}}`;
    expect(await refusal(safetensorsStart(header))).toContain(`(at “a\ufffdb${'c'.repeat(77)}…”)`);
  });

  it('is refused for more tensors than any model has, without keeping them', async () => {
    const header = `{${Array.from({ length: 100_001 }, (_, n) => `"${n}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`).join(',')}}`;
    expect(await refusal(safetensorsStart(header))).toContain('it lists more than 100000 tensors');
  });

  it('is refused for a name that would take all memory', async () => {
    const header = `{"${'n'.repeat(5_000_000)}":{}}`;
    const source = memorySource(safetensorsStart(header));
    await expect(readSafetensors(source)).rejects.toThrow('a text is too long');
    expect(source.bytesRead()).toBeLessThan(1_000_000);
  });

  it('is refused for white space that would take all memory', async () => {
    const header = `{"t":{"dtype":${' '.repeat(5_000_000)}"U8","shape":[0],"data_offsets":[0,0]}}`;
    const source = memorySource(safetensorsStart(header));
    await expect(readSafetensors(source)).rejects.toThrow('a part of it is too long');
    expect(source.bytesRead()).toBeLessThan(3_000_000);
  });
});

describe('a long text in the metadata', () => {
  // Longer than what is read at once, and without a place where pieces could always be cut.
  const pieces = ['ä', '漢', '😀', '\\n', '\\u00e4', 'a😀\\"', '漢\\\\ä'];

  it.each(pieces)('of %s is passed over wherever it is cut', async (piece) => {
    for (const shift of ['', 'x', 'xx', 'xxx', 'xxxx', 'xxxxx']) {
      const text = shift + piece.repeat(400_000 / piece.length);
      const { metadata } = await read(safetensorsStart(`{"__metadata__":{"long":"${text}","next":"kept"}}`));
      expect([...metadata]).toEqual([['next', 'kept']]);
    }
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0xc3, 0x28])],
    ['half a character', Buffer.from([0xf0, 0x9f])],
    ['a bad escape', Buffer.from('\\x')],
    ['an escape that is cut', Buffer.from('\\u12g')],
    ['a control character', Buffer.from('\n')]
  ])('is refused for %s', async (_, bad) => {
    for (const length of [10, 2000, 262_100, 262_141, 262_142, 262_143, 262_144, 400_000]) {
      const text = Buffer.concat([Buffer.alloc(length, 'a'), bad, Buffer.alloc(3000, 'a')]);
      const header = Buffer.concat([Buffer.from('{"__metadata__":{"long":"'), text, Buffer.from('"}}')]);
      expect(await refusal(safetensorsStart(header))).toMatch(/^The header is damaged: a text /);
    }
  });
});
