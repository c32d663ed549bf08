import { describe, expect, it } from 'vitest';
import { readGguf } from '../../../server/weights/headers/gguf';
import {
  type GgufValue,
  ggufFile,
  ggufPair,
  ggufStart,
  ggufTensor,
  text,
  uint32,
  uint64
} from '../../support/weights/gguf-file';
import { memorySource } from '../../support/weights/memory-source';

const read = (start: Buffer, size?: number) => readGguf(memorySource(start, size));

async function refusal(start: Buffer, size = start.length + 64, code = 'bad-weights'): Promise<string> {
  const error: unknown = await read(start, size).then(
    () => undefined,
    (thrown: unknown) => thrown
  );
  expect(error).toMatchObject({ code, subject: 'model.bin', nextStep: expect.any(String) });
  return (error as Error).message;
}

/** A file whose one tensor is as given, with room for its data. */
function oneTensor(fields: Partial<Parameters<typeof ggufTensor>[0]>): Buffer {
  const start = ggufStart(1, 0, [ggufTensor({ name: 't', dimensions: [8, 1], type: 0, offset: 0, ...fields })]);
  return Buffer.concat([start, Buffer.alloc((32 - (start.length % 32)) % 32)]);
}

/** A file with two tensors of 64 bytes. */
function twoTensors(...tensors: [name: string, offset: number][]): Buffer {
  const told = tensors.map(([name, offset]) => ggufTensor({ name, dimensions: [16], type: 0, offset }));
  return Buffer.concat([ggufStart(2, 0, told), Buffer.alloc(256)]);
}

/** A file without tensors, with one pair of metadata. */
const onePair = (key: string, value: GgufValue): Buffer => ggufStart(0, 1, [ggufPair(key, value)]);

const EVERY_VALUE: readonly (readonly [string, GgufValue])[] = [
  ...[1, 1, 2, 2, 4, 4, 4].map((bytes, type): [string, GgufValue] => [
    `n${type}`,
    { type, value: Buffer.alloc(bytes, 7) }
  ]),
  ...[10, 11, 12].map((type): [string, GgufValue] => [`n${type}`, { type, value: Buffer.alloc(8, 7) }]),
  ['yes', { type: 'bool', value: true }],
  ['general.architecture', { type: 'text', value: 'flux' }],
  ['long', { type: 'text', value: 'x'.repeat(700_000) }],
  ['words', { type: 'texts', value: Array.from({ length: 60_000 }, (_, index) => `word ${index}`) }],
  ['scores', { type: 'float32s', value: Array.from({ length: 200_000 }, () => 1) }],
  ['none', { type: 'texts', value: [] }]
];

describe('a GGUF header', () => {
  it.each([2, 3])('of version %i tells of tensors and texts, whatever else is in the metadata', async (version) => {
    const { start, size } = ggufFile(
      [
        { name: 'blk.0.weight', dtype: 'Q4_K', shape: [3, 512] },
        { name: 'norm', dtype: 'F32', shape: [5] },
        { name: 'video', dtype: 'F16', shape: [2, 3, 1, 2, 2] }
      ],
      { version, metadata: EVERY_VALUE }
    );
    const source = memorySource(start, size);
    const header = await readGguf(source);
    expect(header).toMatchObject({ format: 'gguf', version, headerBytes: start.length });
    expect(header.tensors).toEqual([
      { name: 'blk.0.weight', dtype: 'Q4_K', shape: [3, 512], elements: 1536, bytes: 864, offset: 0 },
      { name: 'norm', dtype: 'F32', shape: [5], elements: 5, bytes: 20, offset: 864 },
      { name: 'video', dtype: 'F16', shape: [2, 3, 1, 2, 2], elements: 24, bytes: 48, offset: 896 }
    ]);
    expect([...header.metadata]).toEqual([['general.architecture', 'flux']]);
    expect(source.bytesRead()).toBeLessThan(start.length + 300_000);
  });

  it('is read with another alignment, and without tensors', async () => {
    const { start, size } = ggufFile([{ name: 'a', dtype: 'F32', shape: [1] }], { alignment: 4096 });
    expect((await read(start, size)).headerBytes).toBe(4096);
    expect((await read(ggufStart(0, 0, []))).tensors).toEqual([]);
  });

  it('may leave out the padding behind the last tensor', async () => {
    const { start, size } = ggufFile([{ name: 'a', dtype: 'F32', shape: [1] }]);
    expect((await read(start, size - 28)).tensors).toHaveLength(1);
  });
});

describe('a hostile GGUF header', () => {
  it.each<[string, Buffer]>([
    ['2^64-1 tensors', ggufStart(2n ** 64n - 1n, 0, [])],
    ['a million tensors', ggufStart(1_000_000, 0, [])],
    ['2^64-1 pairs', ggufStart(0, 2n ** 64n - 1n, [])],
    ['a key of 2^63 bytes', ggufStart(0, 1, [uint64(2n ** 63n)])],
    ['an empty key', onePair('', { type: 'bool', value: true })],
    [
      'a key twice',
      ggufStart(0, 2, [ggufPair('a', { type: 'bool', value: true }), ggufPair('a', { type: 'bool', value: true })])
    ],
    ['a key that is not UTF-8', ggufStart(0, 1, [uint64(1), Buffer.from([0xff]), uint32(7), Buffer.from([1])])],
    ['a text of 2^63 bytes', ggufStart(0, 1, [text('a'), uint32(8), uint64(2n ** 63n)])],
    ['a text longer than the file', ggufStart(0, 1, [text('a'), uint32(8), uint64(10_000)])],
    ['a list longer than the file', ggufStart(0, 1, [text('a'), uint32(9), uint32(10), uint64(2n ** 50n)])],
    ['a list of texts that never ends', ggufStart(0, 1, [text('a'), uint32(9), uint32(8), uint64(2n ** 50n)])],
    ['a list of lists', ggufStart(0, 1, [text('a'), uint32(9), uint32(9), uint64(1), uint32(4), uint64(0)])],
    ['a value of no type', onePair('a', { type: 13, value: Buffer.alloc(8) })],
    ['a yes-or-no value that is neither', onePair('a', { type: 7, value: Buffer.from([2]) })],
    ['an alignment of 0', onePair('general.alignment', { type: 'uint32', value: 0 })],
    ['an alignment of 13', onePair('general.alignment', { type: 'uint32', value: 13 })],
    ['an alignment that is a text', onePair('general.alignment', { type: 'text', value: '32' })]
  ])('is refused for %s', async (_, start) => {
    expect(await refusal(start)).toMatch(/^The header is damaged: .+ \(at .+\)\.$/);
  });

  it.each<[string, Parameters<typeof oneTensor>[0]]>([
    ['six dimensions', { dimensions: [1, 1, 1, 1, 1, 8] }],
    ['a dimension of 0', { dimensions: [0, 8] }],
    ['dimensions whose product overflows', { dimensions: [2 ** 40, 2 ** 40] }],
    ['a dimension of 2^64-1', { dimensions: [2n ** 64n - 1n] }],
    ['a type that was given up', { type: 4 }],
    ['a type that does not exist', { type: 4_000_000_000 }],
    ['rows that are no whole blocks', { dimensions: [8, 4], type: 2 }],
    ['an offset that is not aligned', { offset: 4 }],
    ['a hole before it', { offset: 32 }]
  ])('is refused for a tensor with %s', async (_, fields) => {
    expect(await refusal(oneTensor(fields), oneTensor(fields).length + 32)).toMatch(/\(at (“t”|byte \d+)\)\.$/);
  });

  it('is refused when it ends anywhere', async () => {
    const { start } = ggufFile([{ name: 'a', dtype: 'F32', shape: [1] }], { metadata: EVERY_VALUE.slice(0, 12) });
    for (let end = 8; end < start.length; end += 1) {
      expect(await refusal(start.subarray(0, end), end)).toMatch(/it ends too early|is cut off/);
    }
  });

  it('is refused for 2^32-1 dimensions', async () => {
    const start = ggufStart(1, 0, [text('t'), uint32(2 ** 32 - 1), Buffer.alloc(64)]);
    expect(await refusal(start)).toBe('The header is damaged: a tensor has 4294967295 dimensions (at “t”).');
  });

  it('is refused when two tensors have one name, or lie on the same bytes', async () => {
    expect(await refusal(twoTensors(['a', 0], ['a', 64]))).toContain('two tensors have one name (at “a”)');
    expect(await refusal(twoTensors(['a', 0], ['b', 32]))).toContain('lie on the same bytes (at “b”)');
  });

  it('tells a file that was cut off', async () => {
    const { start, size } = ggufFile([{ name: 'a', dtype: 'F32', shape: [100] }]);
    expect(await refusal(start, size - 20)).toMatch(/^The file is cut off: it has \d+ bytes/);
    expect(await refusal(start, size + 100)).toMatch(/^Something was added to the file/);
  });

  it.each([
    [1, 'of version 1'],
    [9, 'version 9'],
    [0x03000000, 'big-endian']
  ])('is not read in version %i, and says so', async (version, words) => {
    expect(await refusal(ggufStart(0, 0, [], version), 100, 'unsupported-weights')).toContain(words);
  });
});
