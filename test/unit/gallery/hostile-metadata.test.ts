import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteSource, memorySource } from '../../../server/gallery/metadata/byte-source';
import { findRequest } from '../../../server/gallery/metadata/read-found-request';
import { generationRequest } from '../../../shared/generation';
import { exifComment, jpeg, pngWith, segment, webp } from './metadata-bytes';
import { chunk, end, header, pixels, png } from './png-bytes';

const fixtures = join(import.meta.dirname, '../../fixtures/metadata');
const images = readdirSync(join(fixtures, 'sd-cli'))
  .filter((file) => !file.endsWith('.json'))
  .map((file) => readFileSync(join(fixtures, 'sd-cli', file)));

const find = (bytes: Uint8Array) => findRequest(memorySource(bytes));

/** A source that says how much of it was read. */
function counted(bytes: Buffer, size = bytes.length): { source: ByteSource; read: () => number } {
  let total = 0;
  const source: ByteSource = {
    size,
    async read(offset, length) {
      const part = bytes.subarray(offset, offset + length);
      total += part.length;
      return part;
    }
  };
  return { source, read: () => total };
}

describe('a hostile image', () => {
  it('is not inflated beyond what a description may have', async () => {
    const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024, 'a'));
    const data = Buffer.concat([Buffer.from('parameters\0\0'), bomb]);
    const bytes = png(header(), ...Array.from({ length: 500 }, () => chunk('zTXt', data)), pixels(20), end);
    expect(await find(bytes)).toMatch(/does not say/);
  });

  it('does not have its pixels read', async () => {
    const bytes = png(
      header(),
      chunk('IDAT', Buffer.alloc(1_000_000)),
      chunk('tEXt', Buffer.from('parameters\0x')),
      end
    );
    const { source, read } = counted(bytes);
    await findRequest(source);
    expect(read()).toBeLessThan(1000);
  });

  it.each([
    ['a chunk that claims 4 GB', Buffer.concat([png(header()), Buffer.from('fffffffftEXt', 'latin1')])],
    ['a segment of no length', Buffer.from([0xff, 0xd8, 0xff, 0xfe, 0, 0, 1])],
    ['nothing but filling bytes', Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(100_000, 0xff)])],
    [
      'a chunk of no length, for ever',
      webp(...Array.from({ length: 20_000 }, () => ({ type: 'XXXX', data: Buffer.alloc(0) })))
    ],
    ['EXIF that points outside', webp({ type: 'EXIF', data: Buffer.from('MM\0*\xff\xff\xff\xff', 'latin1') })],
    ['EXIF that points at itself', webp({ type: 'EXIF', data: selfPointing() })],
    ['a text that never closes', webp({ type: 'XMP ', data: Buffer.from('<sdcpp:parameters>'.repeat(10_000)) })]
  ])('with %s says nothing', async (_, bytes) => {
    expect(await find(bytes)).toMatch(/does not say/);
  });

  it.each([
    ['arrays nested 200,000 deep', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
    ['a value nested 200,000 deep', sampler(`"seed": ${'['.repeat(200_000)}${']'.repeat(200_000)}`)],
    [
      'a prompt that leads back to itself',
      sampler('"positive": ["2", 0]', '"2": {"class_type": "A", "inputs": {"conditioning": ["2", 0]}}')
    ],
    [
      'a sampler that begins with itself',
      '{"1": {"class_type": "KSampler", "inputs": {"sampler_name": "euler", "latent_image": ["1", 0]}}}'
    ],
    ['names of the language', '{"__proto__": {"class_type": "KSampler", "inputs": {}}, "constructor": 1}'],
    ['a sampler of such a name', sampler('"sampler_name": "__proto__", "scheduler": "constructor"')]
  ])('with a graph of %s ends in an answer', async (_, text) => {
    const found = await find(pngWith('prompt', text));
    if (typeof found === 'object') expect(generationRequest.partial().safeParse(found.request).success).toBe(true);
    else expect(found).toMatch(/not understood/);
  });

  it.each([
    ['commas', ','.repeat(3_000_000)],
    ['colons', ':'.repeat(3_000_000)],
    ['letters', 'a'.repeat(3_000_000)],
    ['commas before a colon', `${'a,'.repeat(1_500_000)}a:1`],
    ['quotes', 'a:"\\'.repeat(500_000)],
    ['brackets', '[::'.repeat(1_000_000)],
    ['settings', 'Steps: 1, '.repeat(300_000)]
  ])('with 3 MB of %s ends in an answer', async (_, text) => {
    const found = await find(pngWith('parameters', `a prompt ${text}\nSteps: 1, Seed: 2, Size: 64x64, ${text}`));
    expect(typeof found === 'string' || found.leftOut.length <= 31).toBe(true);
  });
});

describe('whatever an image says', () => {
  it('a damaged one ends in an answer, and what it gives is a request', async () => {
    const damage = fc.record({
      image: fc.constantFrom(...images),
      at: fc.nat(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
      length: fc.nat()
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ image, at, bytes, length }) => {
        const damaged = Buffer.from(image);
        damaged.set(bytes, at % (damaged.length - bytes.length));
        const found = await find(damaged.subarray(0, Math.max(length % (damaged.length * 2), 1)));
        if (typeof found === 'object') generationRequest.partial().parse(found.request);
      }),
      { numRuns: 500 }
    );
  });

  it('the settings of sd-cli come back as they were', async () => {
    const asked = fc.record({
      prompt: fc.string({ unit: 'grapheme' }),
      negative: fc.string({ minLength: 1 }),
      width: fc.integer({ min: 64, max: 8192 }),
      steps: fc.integer({ min: 1, max: 1000 }),
      seed: fc.maxSafeNat(),
      cfg: fc.integer({ min: 0, max: 1000 }).map((tenths) => tenths / 10)
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ prompt, negative, width, steps, seed, cfg }) => {
        const json = JSON.stringify({
          schema: 'sdcpp.image.params/v1',
          models: { model: 'm.gguf' },
          prompt: { positive: prompt, negative },
          width,
          height: width,
          seed,
          mode: 'img_gen',
          sampling: { steps, guidance: { txt_cfg: Math.fround(cfg) } }
        });
        const found = await find(pngWith('parameters', `${prompt}\nSteps: 1, SDCPP: ${json}`));
        expect(found).toMatchObject({
          request: { prompt, negative_prompt: negative, width, height: width, steps, seed, cfg_scale: cfg }
        });
      })
    );
  });

  it('a prompt of several lines comes back from the text of A1111, through every kind of file', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.trim());
    const lines = fc
      .array(line, { minLength: 1, maxLength: 4 })
      .filter((all) => !all.some((text) => text.startsWith('Negative prompt:') || /[\0\n\r]/.test(text)))
      .map((all) => all.join('\n').trim());
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(), async (prompt, seed) => {
        const text = `${prompt}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: ${seed}, Size: 512x512`;
        for (const bytes of [
          pngWith('parameters', text),
          jpeg(segment(0xfe, Buffer.from(`parameters\0${text}\0`))),
          webp({ type: 'EXIF', data: exifComment(text) })
        ]) {
          expect(await find(bytes)).toMatchObject({ request: { prompt, seed, sampling_method: 'euler_a' } });
        }
      })
    );
  });
});

function sampler(inputs: string, others = '"9": {}'): string {
  return `{"1": {"class_type": "KSampler", "inputs": {"sampler_name": "euler", "latent_image": ["3", 0], ${inputs}}}, ${others}}`;
}

/** A directory whose pointer leads to the directory itself. */
function selfPointing(): Buffer {
  const bytes = Buffer.from('MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08', 'latin1');
  return bytes;
}
