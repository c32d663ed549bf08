import { execFileSync } from 'node:child_process';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { generateImage } from '../../server/operations/generate/generate-image';
import type { GenerateOptions } from '../../server/operations/generate/generate-options';
import type { GenerationRequest, GenerationResult } from '../../shared/generation';
import { servicesWithSample } from '../support/sample-services';
import { temporaryFolder } from '../support/temporary-folder';
import type { TestServices } from '../support/test-services';
import { exifOfCamera, shownJpeg } from '../unit/gallery/metadata-bytes';
import { chunk, end, header, png, soundPng } from '../unit/gallery/png-bytes';

const IMAGES = join(import.meta.dirname, '../fixtures/sd-cli/images');

/** A PNG of 8-bit channels. */
function plainPng(width: number, height: number, colour: 0 | 2 | 4): Buffer {
  const lines = Buffer.alloc((1 + width * [1, 0, 3, 0, 2][colour]!) * height);
  return png(header({ width, height, colour }), chunk('IDAT', deflateSync(lines)), end);
}

/** Puts an image under a name of the user's. */
async function userImage(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, bytes);
  return path;
}

interface Attempt {
  readonly services: TestServices;
  /** What was told before the run. */
  readonly notices: readonly string[];
  readonly result: Promise<GenerationResult>;
}

/** A JPEG of 128 × 128 pixels with an orientation of EXIF. */
async function photo(name: string, orientation: number): Promise<string> {
  return userImage(name, shownJpeg(await readFile(join(IMAGES, 'in.jpg')), exifOfCamera(orientation)));
}

async function attempt(
  request: Partial<GenerationRequest>,
  { signal = new AbortController().signal, repeats }: Partial<GenerateOptions> = {}
): Promise<Attempt> {
  const { services, model } = await servicesWithSample();
  const full = { prompt: 'a lighthouse', steps: 2, strength: 0.5, ...request };
  const notices: string[] = [];
  let isRunning = false;
  const result = generateImage(services, model, full, {
    signal,
    repeats,
    onProgress: ({ phase }) => (isRunning ||= phase !== 'waiting'),
    onNotice: (sentence) => notices.push(isRunning ? `too late: ${sentence}` : sentence)
  });
  return { services, notices, result };
}

const scratch = ({ layout }: TestServices): Promise<string[]> => readdir(layout.scratch).catch(() => []);

describe('an input image', () => {
  it.each([
    ['a greyscale PNG', async () => userImage('grey.png', plainPng(128, 128, 0))],
    ['a greyscale PNG that is see-through', async () => userImage('grey.png', plainPng(128, 128, 4))],
    ['a WEBP that is called PNG', async () => userImage('in.png', await readFile(join(IMAGES, 'in.webp')))],
    ['a JPEG that is called WEBP', async () => userImage('in.webp', await readFile(join(IMAGES, 'in.jpg')))],
    ['a PNG without an extension', async () => userImage('image', plainPng(128, 128, 2))]
  ])('reaches the engine so that it can read it: %s', async (_, image) => {
    const { services, result } = await attempt({ init_image: await image() });
    expect(await result).toMatchObject({ images: [{ width: 128, height: 128 }], warnings: [] });
    expect(await scratch(services)).toEqual([]);
  });

  it('that is cut off is refused, which the engine would take for a whole one', async () => {
    const whole = await readFile(join(IMAGES, 'in.jpg'));
    const path = await userImage('photo.jpg', whole.subarray(0, (whole.length * 3) / 4));
    const { services, result } = await attempt({ init_image: path });
    await expect(result).rejects.toMatchObject({
      code: 'bad-image',
      message: 'The image is damaged: it is cut off.',
      subject: path,
      nextStep: expect.stringContaining('Save it again')
    });
    expect(await scratch(services)).toEqual([]);
  });

  it.each([
    ['control_image', 'a.gif', Buffer.from('GIF89a'), 'The image is a GIF, which the engine cannot read.'],
    ['references', 'a.tif', Buffer.from('II*\0'), 'The image is a TIFF, which the engine cannot read.'],
    ['mask', 'a.png', Buffer.from('<html>'), 'This is no image.']
  ])('is checked wherever a request has one: %s', async (field, name, bytes, message) => {
    const path = await userImage(name, bytes);
    const init_image = await userImage('init.png', plainPng(128, 128, 2));
    const given = field === 'mask' ? { init_image, mask: path } : { [field]: field === 'references' ? [path] : path };
    const { result } = await attempt(given);
    await expect(result).rejects.toMatchObject({ code: 'bad-image', message, subject: path });
  });

  it.runIf(process.platform !== 'win32')('is not waited for where nobody writes any', async () => {
    const pipe = join(await temporaryFolder(), 'image.png');
    execFileSync('mkfifo', [pipe]);
    const { result } = await attempt({ init_image: pipe });
    await expect(result).rejects.toMatchObject({ code: 'bad-image', message: 'This is no image file.' });
  });

  it('that is not there is told by its path', async () => {
    const { result } = await attempt({ init_image: '/nowhere/image.png' });
    await expect(result).rejects.toMatchObject({ code: 'bad-image', subject: '/nowhere/image.png' });
  });

  it('is copied before the engine reads it, so that nothing the user does to it matters', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'image.png');
    await writeFile(path, plainPng(128, 128, 2));
    const { services, model } = await servicesWithSample();
    const request = { prompt: 'a', steps: 2, init_image: path };
    let isGone = false;
    const result = generateImage(services, model, request, {
      signal: new AbortController().signal,
      onProgress: () => {
        if (isGone) return;
        isGone = true;
        void copyFile(join(IMAGES, 'in.webp'), path);
      }
    });
    expect(await result).toMatchObject({ images: [{ width: 128 }] });
  });
});

describe('sizes of input images', () => {
  it('are those of their masks, or the run is refused', async () => {
    const init_image = await userImage('init.png', plainPng(128, 128, 2));
    const mask = await userImage('mask.png', plainPng(64, 128, 0));
    const { result } = await attempt({ init_image, mask });
    await expect(result).rejects.toMatchObject({
      code: 'bad-request',
      message: 'The mask has 64 × 128 pixels, and its image 128 × 128.',
      subject: mask
    });
  });

  it.each([
    [200, 100, 'wide.png has 200 × 100 pixels and is cut to 100 × 100, then resized to 128 × 128.'],
    [64, 64, 'wide.png has 64 × 64 pixels and is resized to 128 × 128.']
  ])('of %s × %s are fitted to those that the request asks for, which is told', async (width, height, notice) => {
    const init_image = await userImage('wide.png', plainPng(width, height, 2));
    const { result } = await attempt({ init_image, width: 128, height: 128 });
    expect((await result).warnings).toEqual([notice]);
  });

  it('may be small', async () => {
    const init_image = await userImage('a.png', soundPng());
    const { result } = await attempt({ init_image, width: 128, height: 128 });
    expect((await result).warnings).toEqual(['a.png has 3 × 2 pixels and is cut to 2 × 2, then resized to 128 × 128.']);
  });
});

describe('a photo that is to be shown in another way than it is stored', () => {
  it('is told before the run, wherever a request has it, for the engine does not heed it', async () => {
    const init_image = await photo('photo.jpg', 6);
    const { notices, result } = await attempt({ init_image, mask: await photo('mask.jpg', 3) });
    const sentence = expect.stringMatching(/^photo\.jpg says .* by 90° to the right, mask\.jpg says .* by 180°, but/);
    expect((await result).warnings).toEqual([sentence]);
    expect(notices).toEqual([sentence]);
  });

  it('is why a mask that fits what is seen does not fit, which is told', async () => {
    const whole = await readFile(join(IMAGES, 'in.jpg'));
    // The frame says that there are 64 lines, and the rest of the pixels is not asked for.
    const frame = whole.indexOf(Buffer.from([0xff, 0xc0]));
    const wide = Buffer.from(whole);
    wide.writeUInt16BE(64, frame + 5);
    const init_image = await userImage('photo.jpg', shownJpeg(wide, exifOfCamera(8)));
    const mask = await userImage('mask.png', plainPng(64, 128, 0));
    const { result } = await attempt({ init_image, mask });
    await expect(result).rejects.toMatchObject({
      message: 'The mask has 64 × 128 pixels, and its image 128 × 64.',
      nextStep: expect.stringContaining('photo.jpg says that it is to be shown turned by 90° to the left')
    });
  });

  it('is called by the name that it had when it is used again', async () => {
    const init_image = await photo('a'.repeat(64), 6);
    const inputNames = new Map([[init_image, 'photo.jpg']]);
    const { notices, result } = await attempt({ init_image, width: 256, height: 128 }, { repeats: { inputNames } });
    const { warnings } = await result;
    expect(notices).toEqual([expect.stringMatching(/^photo\.jpg says/)]);
    expect(warnings).toContainEqual(expect.stringMatching(/^photo\.jpg has 128 × 128 pixels and is cut/));
  });
});

describe('a cancelled generation', () => {
  it('leaves no copy of its input image', async () => {
    const controller = new AbortController();
    const { services, result } = await attempt(
      { init_image: await userImage('large.png', plainPng(4000, 4000, 0)) },
      controller
    );
    const ended = expect(result).rejects.toMatchObject({ code: 'cancelled' });
    controller.abort();
    await ended;
    expect(await scratch(services)).toEqual([]);
  });
});
