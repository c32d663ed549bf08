import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../server/gallery/metadata/byte-source';
import { findRequest } from '../../../server/gallery/metadata/read-found-request';
import { exifComment, exifGraph, jpeg, pngWith, segment, webp } from './metadata-bytes';
import { chunk, end, header, pixels, png } from './png-bytes';

const fixtures = join(import.meta.dirname, '../../fixtures/metadata');

const find = (bytes: Uint8Array) => findRequest(memorySource(bytes));

/** The image that a fixture is, or is wrapped into. */
function imageOf(folder: string, file: string): Buffer {
  const bytes = readFileSync(join(fixtures, folder, file));
  if (folder === 'a1111') return pngWith('parameters', bytes.toString());
  return folder === 'comfyui' ? pngWith(file.split('.')[1]!, bytes.toString()) : bytes;
}

const cases = ['sd-cli', 'a1111', 'comfyui'].flatMap((folder) =>
  readdirSync(join(fixtures, folder))
    .filter((file) => !file.includes('.expected.'))
    .map((file) => ({ folder, file }))
);

describe.each(cases)('the image of $folder/$file', ({ folder, file }) => {
  it('says how it was made, and what of that has no place here', async () => {
    const expected = join(fixtures, folder, `${file}.expected.json`);
    await expect(`${JSON.stringify(await find(imageOf(folder, file)), null, 2)}\n`).toMatchFileSnapshot(expected);
  });
});

const a1111 = readFileSync(join(fixtures, 'a1111/webui.txt'), 'utf8');
const prompt = readFileSync(join(fixtures, 'comfyui/default.prompt.json'), 'utf8');

describe('the same text is read', () => {
  it.each([
    ['from a compressed chunk of a PNG', pngWith('parameters', a1111, 'zTXt')],
    ['from an international chunk of a PNG', pngWith('parameters', a1111, 'iTXt')],
    ['from the EXIF of a JPEG', jpeg(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exifComment(a1111)])))],
    [
      'from EXIF whose text has the other order of bytes',
      jpeg(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exifComment(a1111, 'little')])))
    ],
    ['from the EXIF of a WEBP', webp({ type: 'EXIF', data: exifComment(a1111) })],
    ['from the comment of a JPEG', jpeg(segment(0xfe, Buffer.from(`parameters\0${a1111}\0`)))]
  ])('%s', async (_, bytes) => {
    expect(await find(bytes)).toEqual(await find(pngWith('parameters', a1111)));
  });

  it('from the EXIF that ComfyUI writes into a WEBP', async () => {
    const bytes = webp(
      { type: 'VP8X', data: new Uint8Array(10) },
      { type: 'EXIF', data: exifGraph(`prompt:${prompt}`) }
    );
    expect(await find(bytes)).toEqual(await find(pngWith('prompt', prompt)));
  });

  it('in Latin-1, which A1111 writes where it suffices', async () => {
    const text = 'caf\u00e9\nSteps: 5, Seed: 1, Size: 64x64';
    const latin = chunk('tEXt', Buffer.from(`parameters\0${text}`, 'latin1'));
    expect(await find(png(header(), latin, pixels(20), end))).toMatchObject({ request: { prompt: 'caf\u00e9' } });
  });
});

describe('an image without a description', () => {
  it.each([
    ['is told from one that is no image', Buffer.from('<html>'), /neither a PNG/],
    ['says nothing', pngWith('Comment', 'hello'), /does not say/],
    ['says what is not understood', pngWith('parameters', 'just a text'), /not understood/],
    ['says what is not understood, in a graph', pngWith('prompt', '{"1": 5}'), /not understood/]
  ])('%s', async (_, bytes, sentence) => {
    expect(await find(bytes)).toMatch(sentence);
  });
});
