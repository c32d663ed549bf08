import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GGMLQuantizationType } from '@huggingface/gguf';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../../server/weights/headers/byte-source';
import { GGML_TYPES } from '../../../server/weights/headers/ggml-types';
import { type GgufHeader, readGguf } from '../../../server/weights/headers/gguf';
import { readHeader } from '../../../server/weights/headers/read-weights';
import { readSafetensors, type SafetensorsHeader } from '../../../server/weights/headers/safetensors';
import { TensorNames } from '../../../server/weights/headers/tensor-names';
import { Failure } from '../../../shared/failure';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { ggufFile } from '../../support/weights/gguf-file';
import { memorySource } from '../../support/weights/memory-source';
import { ggufParser, hubParser, type PeerTensor } from '../../support/weights/peers';
import { type BuiltFile, safetensorsFile, type WantedTensor } from '../../support/weights/safetensors-file';

/** How many headers are tried of each kind; DIFFUSION_DOCK_TEST_HEADERS asks for more, then with a new seed each time. */
const MORE = Number(process.env['DIFFUSION_DOCK_TEST_HEADERS'] ?? 0);

const runs = (usual: number): fc.Parameters<unknown> =>
  MORE > 0 ? { numRuns: MORE } : { numRuns: usual, seed: 20_261 };

const timeout = 60_000 + MORE * 500;

/** Names as models have them, and such as nobody expects; the one that means metadata is no name. */
const anyName = fc
  .oneof(
    fc.stringMatching(/^[a-z_]{1,12}(\.[a-z0-9_]{1,12}){0,4}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
    fc.constantFrom('__proto__', 'constructor', 'toString', '0')
  )
  .filter((name) => name !== '__metadata__');

const uniqueBy = { selector: ({ name }: WantedTensor) => name, maxLength: 12 };

const anySafetensors = fc.uniqueArray(
  fc.record({
    name: anyName,
    dtype: fc.constantFrom('BOOL', 'U8', 'I8', 'F8_E4M3', 'F8_E5M2', 'I16', 'F16', 'BF16', 'I32', 'F32', 'F64', 'I64'),
    shape: fc.array(fc.nat(9), { maxLength: 5 })
  }),
  uniqueBy
);

const anyGguf = fc.uniqueArray(
  fc
    .record({
      name: anyName,
      type: fc.constantFrom(...GGML_TYPES.values()),
      outer: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }),
      blocks: fc.integer({ min: 1, max: 4 })
    })
    .map(({ name, type, outer, blocks }) => ({
      name,
      dtype: type.name,
      shape: [...outer, blocks * type.blockElements]
    })),
  uniqueBy
);

const anyMetadata = fc.dictionary(
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter((key) => key !== '__proto__'),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  { maxKeys: 5, noNullPrototype: true }
);

/** What tells tensors apart, in an order of its own. */
function rows(tensors: readonly (PeerTensor | { name: string; dtype: string; shape: readonly number[] })[]): unknown[] {
  const listed = tensors.map((tensor) => ('name' in tensor ? [tensor.name, tensor.dtype, tensor.shape] : tensor));
  return listed.toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1));
}

/** Whoever relies on a header relies on this. */
function expectConsistent({ tensors, headerBytes }: SafetensorsHeader | GgufHeader, size: number): void {
  expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
  let end = headerBytes;
  for (const { offset, bytes, elements, shape } of tensors.toSorted(
    (a, b) => a.offset - b.offset || a.bytes - b.bytes
  )) {
    expect(headerBytes + offset).toBeGreaterThanOrEqual(end);
    expect(shape.reduce((product, extent) => product * extent, 1)).toBe(elements);
    end = headerBytes + offset + bytes;
  }
  expect(end).toBeLessThanOrEqual(size);
}

/** A header of which a few bytes are not what they were. */
function damaged(start: Buffer, edits: readonly Edit[]): Buffer {
  let bytes = start;
  for (const { at, remove, insert } of edits) {
    const from = Math.floor(at * bytes.length);
    bytes = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
  }
  return bytes;
}

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Buffer;
}

const anyEdits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    remove: fc.oneof(fc.nat(4), fc.nat(60)),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '-1', '1e9', '9007199254740993', '"shape":[', 'ÿ')
        .map((text) => Buffer.from(text)),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(value);
        return bytes;
      })
    )
  }),
  { minLength: 1, maxLength: 4 }
);

/** Reads whatever it is: a header that can be relied on, or a failure that tells people what is wrong. */
async function readAnything(start: Buffer, size: number): Promise<SafetensorsHeader | GgufHeader | undefined> {
  const source = memorySource(start, size);
  try {
    const header = await readHeader(source, { pickles: 'refused' });
    if (!('headerBytes' in header)) throw new Error('only indexes have no header of their own');
    expectConsistent(header, size);
    return header;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.toJSON()).toMatchObject({ subject: 'model.bin', nextStep: expect.any(String) });
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    return undefined;
  } finally {
    expect(source.bytesRead()).toBeLessThanOrEqual(2 * 512 + size);
  }
}

const memoryReader = (file: Buffer) => (from: number, to: number) => Promise.resolve(file.subarray(from, to));

const whole = ({ start, size }: BuiltFile): Buffer => Buffer.concat([start, Buffer.alloc(size - start.length)]);

describe('any header', { timeout }, () => {
  it('of safetensors is read as it was written, and as the client of the hub reads it', async () => {
    const property = fc.asyncProperty(anySafetensors, anyMetadata, async (tensors, metadata) => {
      // A key that is a number comes first in JavaScript objects, wherever it was written.
      const file = safetensorsFile(tensors, metadata);
      const header = await readSafetensors(memorySource(file.start, file.size));
      expectConsistent(header, file.size);
      expect(rows(header.tensors)).toEqual(rows(tensors));
      expect(Object.fromEntries(header.metadata)).toEqual(metadata);
      const peer = await hubParser(memoryReader(whole(file)), file.size);
      expect(rows(peer.tensors)).toEqual(rows(header.tensors));
    });
    await fc.assert(property, runs(150));
  });

  it('of GGUF is read as it was written, and as the parser of the hub reads it', async () => {
    const path = join(await temporaryFolder(), 'model.gguf');
    const property = fc.asyncProperty(
      anyGguf,
      anyMetadata,
      fc.constantFrom(undefined, 8, 64),
      async (tensors, texts, alignment) => {
        const metadata = Object.entries(texts)
          .filter(([key]) => key !== '')
          .map(([key, value]) => [key, { type: 'text', value }] as const);
        const file = ggufFile(tensors, { metadata, ...(alignment !== undefined && { alignment }) });
        const header = await readGguf(memorySource(file.start, file.size));
        expectConsistent(header, file.size);
        expect(rows(header.tensors)).toEqual(rows(tensors));
        expect([...header.metadata.values()]).toEqual(metadata.map(([, { value }]) => value));
        await writeFile(path, whole(file));
        const peer = await ggufParser(path);
        const named = peer.tensors.map(([name, type, shape]) => ({
          name,
          dtype: GGMLQuantizationType[Number(type)]!,
          shape
        }));
        expect(rows(named)).toEqual(rows(header.tensors));
        expect(peer.headerBytes).toBe(header.headerBytes);
      }
    );
    await fc.assert(property, runs(150));
  });

  it.each([
    [
      'safetensors',
      fc.tuple(anySafetensors, anyMetadata).map(([tensors, metadata]) => safetensorsFile(tensors, metadata))
    ],
    [
      'GGUF',
      anyGguf.map((tensors) =>
        ggufFile(tensors, {
          metadata: [
            ['general.architecture', { type: 'text', value: 'sd1' }],
            ['words', { type: 'texts', value: ['a', 'b'] }]
          ]
        })
      )
    ]
  ] as const)('of %s that was damaged is refused in words, or can be relied on', async (_, anyFile) => {
    const property = fc.asyncProperty(
      anyFile,
      anyEdits,
      fc.integer({ min: -40, max: 40 }),
      async ({ start, size }, edits, more) => {
        const bytes = damaged(start, edits);
        await readAnything(bytes, Math.max(bytes.length, bytes.length + size - start.length + more));
        await readAnything(bytes, bytes.length + size - start.length);
      }
    );
    await fc.assert(property, runs(400));
  });

  it('of safetensors that is not refused means the same to the client of the hub', async () => {
    const property = fc.asyncProperty(anySafetensors, anyEdits, async (tensors, edits) => {
      const { start, size } = safetensorsFile(tensors);
      // The length is left alone: most damage of it is found at once.
      const bytes = Buffer.concat([start.subarray(0, 8), damaged(start.subarray(8), edits)]);
      bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
      const file = Buffer.concat([bytes, Buffer.alloc(size - start.length)]);
      const header = await readAnything(file, file.length);
      if (header && header.tensors.length > 0) {
        const peer = await hubParser(memoryReader(file), file.length);
        expect(rows(peer.tensors)).toEqual(rows(header.tensors));
      }
    });
    await fc.assert(property, runs(400));
  });
});

/** Hands out a byte of the header at a time, so that every entry is read before anything that follows it is known. */
function dripping(source: ByteSource): ByteSource {
  return { ...source, read: (target, offset) => source.read(offset < 8 ? target : target.subarray(0, 1), offset) };
}

/** What became of a header: its tensors, or the words that it is refused with. */
async function outcome(source: ByteSource): Promise<unknown> {
  return readSafetensors(source).then(
    ({ tensors, metadata }) => [tensors, [...metadata]],
    (error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      return error.message;
    }
  );
}

describe('the quick way to read entries of tensors', { timeout }, () => {
  it('comes to what the thorough one comes to, whatever the header says', async () => {
    const property = fc.asyncProperty(anySafetensors, anyEdits, fc.boolean(), async (tensors, edits, isDamaged) => {
      const { start, size } = safetensorsFile(tensors);
      const text = isDamaged ? damaged(start.subarray(8), edits) : start.subarray(8);
      // White space at the end is allowed, and makes room for the quick way up to the last tensor.
      const bytes = Buffer.concat([start.subarray(0, 8), text, Buffer.alloc(300, ' ')]);
      bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
      const fileSize = bytes.length + size - start.length;
      expect(await outcome(memorySource(bytes, fileSize))).toEqual(
        await outcome(dripping(memorySource(bytes, fileSize)))
      );
    });
    await fc.assert(property, runs(150));
  });

  it('takes no metadata for a tensor', async () => {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    const text = `{"__metadata__":${entry}}`.padEnd(600);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const start = Buffer.concat([length, Buffer.from(text)]);
    await expect(readSafetensors(memorySource(start, start.length + 4))).rejects.toThrow('damaged');
  });
});

describe('names of tensors', () => {
  it('are known again among many, whoever chose them', () => {
    const usual = Array.from({ length: 5000 }, (_, index) => `layers.${index}.weight`);
    for (const chosen of [usual, sameSlot(1500)]) {
      const names = new TensorNames();
      expect(chosen.every((name) => names.add(name))).toBe(true);
      expect(chosen.some((name) => names.add(name))).toBe(false);
      expect(names.add('another')).toBe(true);
    }
  });
});

/** Texts that FNV-1a gives the same last bits. */
function sameSlot(count: number): string[] {
  const found: string[] = [];
  for (let number = 0; found.length < count; number += 1) {
    const text = number.toString(36);
    let hash = 0x811c9dc5;
    for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    if (((hash ^ (hash >>> 15)) & 0x3ff) === 0) found.push(text);
  }
  return found;
}

describe('the models that the engine was recorded with', () => {
  it('are read as the parsers of the hub read them', async () => {
    const folder = await temporaryFolder();
    createModelFolder(folder);
    for (const name of [
      'sd1.safetensors',
      'vae-kl.safetensors',
      'lora/tinylora.safetensors',
      'esrgan-x4.safetensors'
    ]) {
      const handle = await open(join(folder, name));
      const { size } = await handle.stat();
      const read = async (from: number, to: number): Promise<Buffer> =>
        (await handle.read(Buffer.alloc(to - from), 0, to - from, from)).buffer;
      const header = await readSafetensors({
        path: name,
        size,
        read: async (target, offset) => (await handle.read(target, 0, target.length, offset)).bytesRead
      });
      const peer = await hubParser(read, size);
      await handle.close();
      expect(rows(peer.tensors)).toEqual(rows(header.tensors));
    }
    for (const name of ['sdxs-q1_0.gguf', 'te-sd1-q1_0.gguf', 'conv/sd1-q8_0.gguf', 'conv/unet-sd1-f16.gguf']) {
      const handle = await open(join(folder, name));
      const { size } = await handle.stat();
      const header = await readGguf({
        path: name,
        size,
        read: async (target, offset) => (await handle.read(target, 0, target.length, offset)).bytesRead
      });
      await handle.close();
      const peer = await ggufParser(join(folder, name));
      const named = peer.tensors.map(([tensor, type, shape]) => ({
        name: tensor,
        dtype: GGMLQuantizationType[Number(type)]!,
        shape
      }));
      expect(rows(named)).toEqual(rows(header.tensors));
    }
  });

  it('have the types that the parser of the hub knows, by the same numbers', () => {
    for (const [number, { name }] of GGML_TYPES) expect(GGMLQuantizationType[number]).toBe(name);
  });
});
