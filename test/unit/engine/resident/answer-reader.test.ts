import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../../../server/engine/resident/answer-reader';
import { temporaryFolder } from '../../../support/temporary-folder';
import { failureOf } from '../failures';

/** A body that arrives in pieces of so many bytes. */
async function* pieces(text: string, length: number): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

const answer = (...images: readonly string[]): string =>
  JSON.stringify({
    note: 'Grüße, "b64_json"',
    images: images.map((text, index) => ({ b64_json: Buffer.from(text).toString('base64'), index }))
  });

describe('an answer with images', () => {
  it.each([1, 2, 3, 5, 7, 64, 65, 1000])('is read in pieces of %i bytes', async (length) => {
    const folder = await temporaryFolder();
    const { json, files } = await readAnswer(pieces(answer('first', 'the second', ''), length), { folder, images: 3 });
    expect(json).toEqual({
      note: 'Grüße, "b64_json"',
      images: [0, 1, 2].map((index) => ({ b64_json: '', index }))
    });
    expect(await Promise.all(files.map((path) => readFile(path, 'utf8')))).toEqual(['first', 'the second', '']);
  });

  it('may hold no more of them than were asked for', async () => {
    const folder = await temporaryFolder();
    const failure = await failureOf(readAnswer(pieces(answer('a', 'b'), 10), { folder, images: 1 }));
    expect(failure).toMatchObject({ code: 'bad-response', message: expect.stringContaining('more images than were') });
    expect(await readdir(folder)).toHaveLength(1);
  });

  it.each([
    ['{"b64_json":"@@@@"}', 'an image is no base64'],
    ['{"b64_json":"QUJ"}', 'an image is no base64'],
    ['{"b64_json":"QUJD', 'it ends within an image'],
    ['<html>', 'it is no JSON']
  ])('is refused as a whole when it is %s', async (text, reason) => {
    const folder = await temporaryFolder();
    const failure = await failureOf(readAnswer(pieces(text, 4), { folder, images: 1 }));
    expect(failure.message).toBe(`The answer of sd-server cannot be used: ${reason}.`);
  });

  it('may be no longer than answers are', async () => {
    const failure = await failureOf(readAnswer(pieces('x'.repeat(2_000_000), 65_536)));
    expect(failure.message).toBe('The answer of sd-server cannot be used: it is too long.');
  });
});
