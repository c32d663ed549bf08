import { chmod, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, runCli, STAND_IN, startProgram } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';

const environment = { DIFFUSION_DOCK_SD_CLI: STAND_IN };
const unknownId = 'f'.repeat(64);

/** A result of `generate --json`. */
interface Generated {
  readonly images: readonly { readonly id: string; readonly path: string; readonly seed: number }[];
  readonly remarks?: readonly string[];
}

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  const samples = await mkdtemp(join(home, 'samples-'));
  expect((await run('pull', await sampleManifest({}, samples))).status).toBe(0);
});

afterAll(() => rm(home, { recursive: true }));

const run = (...words: readonly string[]) => runCli(words, { home, environment });

async function answer<T>(...words: readonly string[]): Promise<T> {
  const { status, out, err } = await run(...words, '--json');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  // While something runs there is an object a line; the answer is the last.
  return JSON.parse(out.trim().split('\n').at(-1)!) as T;
}

const pathOf = (id: string, extension: string) => join(home, 'images/sha256', id.slice(0, 2), `${id}.${extension}`);

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/metadata', name);

/** @returns the only image of a generation */
async function generated(
  ...words: readonly string[]
): Promise<Generated['images'][number] & Pick<Generated, 'remarks'>> {
  const { images, remarks } = await answer<Generated>('generate', ...words);
  expect(images).toHaveLength(1);
  return { ...images[0]!, ...(remarks && { remarks }) };
}

describe('the gallery', () => {
  const made: string[] = [];

  beforeAll(async () => {
    for (const seed of [1, 2]) {
      made.push((await generated('tiny-sd1', '-p', `image\n${seed}`, '--seed', String(seed))).id);
    }
  });

  it('is listed with the latest image first', async () => {
    const listed = await answer<{ id: string; seed: number }[]>('images');
    expect(listed.map(({ id, seed }) => [id, seed])).toEqual([
      [made[1], 2],
      [made[0], 1]
    ]);
    const { out } = await run('images', 'list');
    expect(out.split('\n')[1]).toMatch(
      new RegExp(`^${made[0]!.slice(0, 12)}  .*128 × 128.*seed 1 .*tiny-sd1  image 1$`)
    );
  });

  it('tells of an image all that it takes to make it again', async () => {
    expect(await answer('images', 'show', made[0]!.slice(0, 12))).toMatchObject({
      id: made[0],
      seed: 1,
      mode: 'text-to-image',
      milliseconds: expect.any(Number),
      request: { prompt: 'image\n1', seed: 1, width: 128, steps: 4, sampling_method: 'euler_a' },
      model: {
        name: 'tiny-sd1',
        digests: { 'taesd.safetensors': 'e0ee11f98ad3aa031de94c8ebb96497acb15475ab2f54e48760308afbcd64f26' },
        roles: { 'te-sd1-q1_0.gguf': 'model', 'taesd.safetensors': 'taesd' }
      },
      engine: { version: expect.stringContaining('stand-in'), digest: expect.stringMatching(/^[\da-f]{64}$/) }
    });
    const { out } = await run('images', 'show', made[0]!);
    expect(out).toMatch(/^taesd +taesd\.safetensors {2}e0ee11/m);
    expect(out).toMatch(/^steps +4$/m);
    expect(out).toMatch(/^prompt +image\n +1$/m);
  });

  it('exports an image with its description, and replaces nothing', async () => {
    const folder = join(await temporaryFolder(), 'new', 'folder');
    const [exported] = await answer<{ path: string; description: string }[]>('images', 'export', made[0]!, folder);
    expect((await readFile(exported!.path)).subarray(1, 4).toString()).toBe('PNG');
    expect(JSON.parse(await readFile(exported!.description, 'utf8'))).toMatchObject({ seed: 1 });
    const again = await run('images', 'export', made[0]!, folder);
    expect(again).toMatchObject({ status: 1, err: expect.stringContaining('already such a file') });
  });

  it('goes on with the other images when one cannot be exported or deleted, and says which', async () => {
    const folder = await temporaryFolder();
    const { status, out, err } = await run('images', 'export', unknownId, made[0]!, folder);
    expect({ status, err }).toEqual({ status: 1, err: expect.stringContaining('not in the gallery') });
    expect(await readFile(out.trim())).toEqual(await readFile(pathOf(made[0]!, 'png')));
    const { id } = await generated('tiny-sd1', '-p', 'x', '--seed', '10');
    const deleted = await run('images', 'delete', unknownId, id, '--json');
    expect(deleted.status).toBe(1);
    expect(JSON.parse(deleted.out)).toMatchObject({
      deleted: [id],
      failed: [{ id: unknownId, error: { code: 'image-missing' } }]
    });
  });

  it.each([
    [['images', 'paint'], 2, /cannot "paint"/],
    [['images', 'show'], 2, /exactly one image/],
    [['images', 'show', 'abc'], 2, /4 are enough/],
    [['images', 'show', '../../etc'], 2, /hexadecimal/],
    [['images', 'show', unknownId], 1, /not in the gallery/],
    [['images', 'show', 'ffffff'], 1, /begins so/],
    [['images', 'delete', unknownId], 1, /not in the gallery/],
    [['images', 'export', unknownId], 2, /an image and a folder/]
  ])('%j ends with a sentence', async (words, status, sentence) => {
    expect(await run(...words)).toMatchObject({ status, err: expect.stringMatching(sentence) });
  });

  it('tells three kinds of damage apart, and deletes what is left', async () => {
    const ids: string[] = [];
    for (const seed of ['11', '12', '13']) ids.push((await generated('tiny-sd1', '-p', 'x', '--seed', seed)).id);
    await rm(pathOf(ids[0]!, 'png'));
    await rm(pathOf(ids[1]!, 'json'));
    await writeFile(pathOf(ids[2]!, 'json'), '{');
    const listed = await answer<{ id: string; error?: { code: string } }[]>('images');
    const errors = ids.map((id) => listed.find((entry) => entry.id === id)?.error?.code);
    expect(errors).toEqual(['image-missing', 'image-sidecar-missing', 'image-sidecar-unreadable']);
    const { out } = await run('images');
    for (const sentence of ['not in the gallery', 'no description beside it', 'cannot be read']) {
      expect(out).toContain(sentence);
    }
    for (const [index, id] of ids.entries()) {
      expect(await run('images', 'show', id)).toMatchObject({ status: 1 });
      expect(JSON.parse((await run('images', 'show', id, '--json')).out)).toMatchObject({
        error: { code: errors[index] }
      });
    }
    expect(await answer('images', 'delete', ...ids)).toEqual({ deleted: ids });
    expect(await answer<unknown[]>('images')).toHaveLength(made.length);
  });
});

describe('generate --output', () => {
  it('makes the folder that it names', async () => {
    const output = join(await temporaryFolder(), 'new', 'folder', 'image.png');
    const { path } = await generated('tiny-sd1', '-p', 'x', '--seed', '3', '--output', output);
    expect(await readFile(output)).toEqual(await readFile(path));
  });

  it('tells where the image is all the same when it cannot be written there', async () => {
    const { path } = await generated('tiny-sd1', '-p', 'x', '--seed', '3');
    const { status, out, err } = await run('generate', 'tiny-sd1', '-p', 'x', '--seed', '3', '--output', home);
    expect({ status, out }).toEqual({ status: 1, out: `${path}\n` });
    expect(err).toContain('The image cannot be written there; it is in the gallery.');
  });

  it.each([
    ['generate', 'tiny-sd1', '-p', 'x'],
    ['generate', '--like', unknownId],
    ['upscale', 'image.png', '--model', 'tiny-sd1']
  ])('is refused for a format that nothing is made in, before anything is done: %s %s', async (...words) => {
    expect(await run(...words, '--output', join(home, 'photo.JPG'))).toMatchObject({
      status: 2,
      err: expect.stringContaining('--output names a .JPG file; images are made as PNG, videos as AVI.')
    });
  });
});

describe('generate --like', () => {
  it('makes the same image again, byte for byte, whatever the defaults are by now', async () => {
    const first = await generated('tiny-sd1', '-p', 'a lighthouse', '--set', 'steps=3');
    const { out, err } = await run('generate', '--like', first.id.slice(0, 8));
    expect(out.trim()).toBe(first.path);
    expect(err).toContain('the same, byte for byte');
  });

  it('changes what is set, and nothing else', async () => {
    const first = await generated('tiny-sd1', '-p', 'a lighthouse');
    const second = await generated('--like', first.id, '--set', 'steps=2');
    const { request } = await answer<{ request: object }>('images', 'show', first.id);
    expect(await answer('images', 'show', second.id)).toMatchObject({ request: { ...request, steps: 2 } });
    expect(second.seed).toBe(first.seed);
  });

  it('makes one image of a batch, with the seed that it had', async () => {
    const { images } = await answer<Generated>('generate', 'tiny-sd1', '-p', 'x', '--seed', '5', '--set', 'images=2');
    const again = await generated('--like', images[1]!.id);
    expect(again.seed).toBe(6);
  });

  it('says that the engine is another, and repeats nevertheless', async () => {
    const first = await generated('tiny-sd1', '-p', 'x', '--seed', '3');
    const other = join(await temporaryFolder(), 'sd-cli.mjs');
    await writeFile(other, `#!/usr/bin/env -S node\nimport(${JSON.stringify(STAND_IN)});\n`);
    await chmod(other, 0o755);
    const { out } = await runCli(['generate', '--like', first.id, '--json'], {
      home,
      environment: { DIFFUSION_DOCK_SD_CLI: other }
    });
    expect(JSON.parse(out.trim().split('\n').at(-1)!)).toMatchObject({
      remarks: [expect.stringContaining('another program of the same version')]
    });
  });

  it('says that a file of the model is another', async () => {
    const first = await generated('tiny-sd1', '-p', 'x', '--seed', '3');
    const path = first.path.replace(/png$/, 'json');
    const sidecar = JSON.parse(await readFile(path, 'utf8'));
    sidecar.model.digests['taesd.safetensors'] = 'a'.repeat(64);
    sidecar.model.digests['gone.safetensors'] = 'b'.repeat(64);
    await writeFile(path, JSON.stringify(sidecar));
    expect((await generated('--like', first.id)).remarks).toEqual([
      'taesd.safetensors of the model has another content than it had.',
      'gone.safetensors is no longer a file of the model.'
    ]);
  });

  it('repeats an image from its input images, although their files are gone, until they are kept no longer', async () => {
    const { path: source } = await generated('tiny-sd1', '-p', 'x', '--seed', '3');
    const input = join(await temporaryFolder(), 'photo.png');
    await writeFile(input, await readFile(source));
    const first = await generated('tiny-sd1', '-p', 'y', '--seed', '4', '--set', `init_image=${input}`);
    await rm(input);
    const shown = await run('images', 'show', first.id);
    expect(shown.out).toMatch(/^init_image +photo\.png {2}[\da-f]{64}$/m);
    expect(shown.out).not.toContain(input);
    expect((await generated('--like', first.id)).id).toBe(first.id);
    await rm(join(home, 'images/inputs'), { recursive: true });
    expect(await run('generate', '--like', first.id)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/photo\.png that it was made from is no longer kept.*\n.*\n.*--init-image FILE/)
    });
    expect((await generated('--like', first.id, '--set', `init_image=${source}`)).seed).toBe(4);
  });

  it('lets input images go with the last image that was made from them', async () => {
    const { path: source } = await generated('tiny-sd1', '-p', 'x', '--seed', '31');
    const ids: string[] = [];
    for (const seed of ['21', '22', '23']) {
      ids.push((await generated('tiny-sd1', '-p', 'y', '--seed', seed, '--set', `init_image=${source}`)).id);
    }
    const { inputs } = await answer<{ inputs: [{ digest: string }] }>('images', 'show', ids[0]!);
    const [{ digest }] = inputs;
    const kept = join(home, 'images/inputs/sha256', digest.slice(0, 2), digest);
    const isKept = () =>
      stat(kept).then(
        () => true,
        () => false
      );
    await run('images', 'delete', ids[0]!, ids[1]!);
    expect(await isKept()).toBe(true);
    // One that was kept lately may belong to a run whose image is not stored yet.
    await run('images', 'delete', ids[2]!);
    expect(await isKept()).toBe(true);
    await utimes(kept, 0, 0);
    const other = await generated('tiny-sd1', '-p', 'z');
    await run('images', 'delete', other.id);
    expect(await isKept()).toBe(false);
  });
});

describe.skipIf(process.platform === 'win32')('images show --command', () => {
  it('is a command line that a shell makes the same image with', async () => {
    const prompt = `--it's "a" $HOME \\ test\n of \u00fc`;
    const words = [
      '--negative-prompt',
      '5',
      '--hires-scale',
      '2',
      '--hires-steps',
      '2',
      '--steps',
      '2',
      '--vae-tiling'
    ];
    const first = await generated('tiny-sd1', `--prompt=${prompt}`, '--seed', '41', ...words);
    const { out } = await run('images', 'show', first.id, '--command');
    const shell = `diffusion-dock() { ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@"; }; ${out}`;
    const made = await startProgram('bash', ['-c', shell], { home, environment }).ended;
    expect(made).toMatchObject({ status: 0, out: `${first.path}\n` });
  });

  it('is one of sd-cli alone that it understands', async () => {
    const first = await generated('tiny-sd1', '-p', 'it is a "test"', '--seed', '42', '--set', 'steps=2');
    const { out } = await run('images', 'show', first.id, '--command', '--sd-cli');
    const folder = await temporaryFolder();
    const shell = `sd-cli() { ${JSON.stringify(STAND_IN)} "$@"; }; ${out}`;
    expect(await startProgram('bash', ['-c', shell], { home, folder }).ended).toMatchObject({ status: 0 });
    expect(await readFile(join(folder, 'tiny-sd1-42.png'))).toEqual(await readFile(first.path));
  });

  it('is refused for a shell that nobody knows', async () => {
    const { id } = await generated('tiny-sd1', '-p', 'x', '--seed', '3');
    expect(await run('images', 'show', id, '--command', '--shell', 'fish')).toMatchObject({ status: 2 });
  });
});

describe('generate --from-image', () => {
  it('makes what the file tells, and says what it could not take over', async () => {
    const made = await generated('tiny-sd1', '--from-image', fixture('sd-cli/img2img.png'), '--set', 'steps=2');
    expect(made.seed).toBe(42);
    expect(made.remarks).toEqual([
      'The image was made with unet-sd1.safetensors, te-sd1-q1_0.gguf, taesd.safetensors.',
      'Its strength, 0.5, needs an input image, which it does not carry.'
    ]);
    expect(await answer('images', 'show', made.id)).toMatchObject({
      request: { prompt: 'a red lighthouse, oil painting', steps: 2, cfg_scale: 7, scheduler: 'discrete' }
    });
  });

  it.each([
    ['a file that is not there', 'nothing.png', 1, /no image file/],
    ['a file that tells nothing', 'README.md', 1, /neither a PNG nor a JPEG nor a WEBP/],
    ['an image that was not generated', 'sd-cli/upscale-x2.png', 2, /tells no prompt.*enlarged/]
  ])('refuses %s', async (_, file, status, sentence) => {
    const refused = await run('generate', 'tiny-sd1', '--from-image', fixture(file));
    expect(refused).toMatchObject({ status, err: expect.stringMatching(sentence) });
  });
});
