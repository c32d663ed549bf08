// Replays every stored recording of the real sd-cli against the stand-in. Which recorded runs are not stored, and why,
// is listed in test/fixtures/sd-cli/README.md, section "Not covered".
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModelFolder } from '../support/stand-in/testing/model-folder';
import { readPng } from '../support/stand-in/testing/plain-png';
import {
  type RecordedRun,
  recordedParameters,
  recordedRun,
  recordedRunNames,
  withoutTimes
} from '../support/stand-in/testing/recorded-run';
import { prepareInputs } from '../support/stand-in/testing/run-inputs';
import { runStandInHere } from '../support/stand-in/testing/stand-in-here';
import {
  type Ended,
  filesBelow,
  runStandIn,
  STAND_IN,
  startStandIn
} from '../support/stand-in/testing/stand-in-process';

/** Root may write anywhere, so these two can be replayed by ordinary users only. */
const NEEDS_ORDINARY_USER = new Set(['bad-outdir-uncreatable', 'bad-outdir-unwritable']);
const isRoot = process.getuid?.() === 0;

/** A failure of the recorded machine that inputs cannot provoke. */
const FAULTS: Readonly<Record<string, string>> = { 'model-load-ulimit': 'out-of-memory' };

/** Recordings that a process is held against too: both streams, files, and every way to end. */
const AS_PROGRAM = [
  ['version', 'help', 'txt2img-png', 'batch3-plain', 'convert-f16'],
  ['bad-unknown-arg', 'bad-model-missing', 'bad-int', 'model-load-ulimit']
].flat();

const SPLIT = ['-m', 'models/te-sd1-q1_0.gguf', '--diffusion-model', 'models/unet-sd1.safetensors'];
const SMALL = [...SPLIT, '--taesd', 'models/taesd.safetensors', '-p', 'a cat', '-W', '64', '-H', '64', '--steps', '3'];

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'stand-in-'));
  createModelFolder(join(home, 'models'));
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

describe('the stand-in behaves as recorded in', () => {
  const names = recordedRunNames().filter((name) => !isRoot || !NEEDS_ORDINARY_USER.has(name));
  it.each(names)('%s', (name) => expectAsRecorded(name, runStandInHere));
});

describe('the program of the stand-in behaves as recorded in', () => {
  it.each(AS_PROGRAM)('%s', (name) => expectAsRecorded(name, runStandIn));
});

describe('the settings inside an image are as recorded in', () => {
  for (const [name, { file, text }] of recordedParameters()) {
    it(name, async () => {
      const { folder } = await replay(name, recordedRun(name), runStandInHere);
      const written = readPng(readFileSync(join(folder, file))).parameters ?? '';
      const [plain = '', json = ''] = written.split(' SDCPP: ');
      const [recordedPlain = '', recordedJson = ''] = text.split(' SDCPP: ');
      expect(plain).toBe(
        recordedPlain.replace('Version: stable-diffusion.cpp', 'Version: stable-diffusion.cpp stand-in')
      );
      const expected = JSON.parse(recordedJson) as { generator: object };
      const version = 'stand-in (replays recordings of master-827-97d2990)';
      expect(JSON.parse(json)).toEqual({ ...expected, generator: { ...expected.generator, version } });
    });
  }
});

describe('a picture', () => {
  it('has the size of the request, rounded up to multiples of 64', async () => {
    const { folder } = await make(['-W', '200', '-H', '100']);
    expect(picture(folder)).toMatchObject({ width: 256, height: 128 });
  });

  it('depends on the seed and on nothing else but the size', async () => {
    const first = await make(['-s', '5']);
    const again = await make(['-s', '5', '-p', 'a dog', '--steps', '9']);
    const other = await make(['-s', '6']);
    expect(picture(again.folder).rows).toEqual(picture(first.folder).rows);
    expect(picture(other.folder).rows).not.toEqual(picture(first.folder).rows);
  });

  it('gives the images of a batch consecutive seeds', async () => {
    const batch = await make(['-s', '5', '-b', '2']);
    const single = await make(['-s', '6']);
    expect(picture(batch.folder, 'out_1.png').rows).toEqual(picture(single.folder).rows);
  });

  it('says nothing about its making when asked so', async () => {
    const { folder } = await make(['--disable-image-metadata']);
    expect(picture(folder).parameters).toBeUndefined();
  });

  it('comes out of the model file that holds everything', async () => {
    const folder = newFolder();
    const ended = await runStandIn(['-m', 'models/sdxs-q1_0.gguf', '--steps', '1', '-o', 'out.png'], folder);
    expect(ended.stdout).toContain('Version: SDXS (512-DS) \n');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(picture(folder)).toMatchObject({ width: 512, height: 512 });
  });
});

describe('a converted model', () => {
  it.each([
    ['unet-sd1.safetensors', 'f16', 'unet-sd1-f16.gguf'],
    ['sd1.safetensors', 'q8_0', 'sd1-q8_0.gguf']
  ])('has the recorded header: %s as %s', async (source, type, recorded) => {
    const folder = newFolder();
    const ended = await runStandIn(
      ['-M', 'convert', '-m', `models/${source}`, '-o', 'out.gguf', '--type', type],
      folder
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [written, real] = [join(folder, 'out.gguf'), join(home, 'models/conv', recorded)].map((path) =>
      readFileSync(path)
    );
    expect(written?.length).toBe(real?.length);
    // What lies behind the header is a hole in both.
    expect(written?.subarray(0, 50_000).equals(real!.subarray(0, 50_000))).toBe(true);
  });
});

describe('the stand-in refuses in its own name', () => {
  it.each([
    [['-o', 'out.jpg'], 'stand-in: the stand-in cannot encode .jpg images, only .png\n'],
    [['-o', 'out.webp'], 'stand-in: the stand-in cannot encode .webp images, only .png\n'],
    [['-M', 'metadata'], 'stand-in: does not replay the mode metadata, only img_gen, upscale and convert\n'],
    [['--t5xxl', 'x.gguf'], 'stand-in: does not replay runs with --t5xxl\n'],
    [['--control-net', 'models/vae-kl.safetensors'], 'stand-in: has no recording of a run with a control net\n']
  ])('%j', async (argv, stderr) => {
    const { ended, files } = await make(argv);
    expect(ended).toMatchObject({ code: 1, signal: null, stderr });
    expect(files).toEqual([]);
  });

  it.each([
    [{ SD_CLI_STAND_IN_FAULT: 'nonsense' }, /knows disk-full, .+, not nonsense/],
    [{ SD_CLI_STAND_IN_SPEED: 'fast' }, /not a speed: fast/]
  ])('the setting %j', async (environment, reason) => {
    const { ended } = await make([], environment);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(reason);
  });
});

describe('a fault', () => {
  it('disk-full leaves a cut image and claims success', async () => {
    const { ended, folder } = await make([], { SD_CLI_STAND_IN_FAULT: 'disk-full' });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain("save result image 0 to 'out.png' (success)");
    expect(() => picture(folder)).toThrow();
    expect(statSync(join(folder, 'out.png')).size).toBeGreaterThan(0);
  });

  it('partial-batch saves two of three and ends well', async () => {
    const { ended, files } = await make(['-b', '3'], { SD_CLI_STAND_IN_FAULT: 'partial-batch' });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/image 1 to 'out_1.png' \(failure\)\n.+\n.+2\/3 images saved\n$/);
    expect(files).toEqual(['out_0.png', 'out_2.png']);
  });

  it('no-file claims to have saved what is not there', async () => {
    const { ended, files } = await make([], { SD_CLI_STAND_IN_FAULT: 'no-file' });
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('1/1 images saved');
    expect(files).toEqual([]);
  });

  it('crash-sampling ends the program by SIGSEGV in the first step', async () => {
    const { ended, files } = await make([], { SD_CLI_STAND_IN_FAULT: 'crash-sampling' });
    expect(ended).toMatchObject({ code: null, signal: 'SIGSEGV', stderr: '' });
    expect(ended.stdout).toMatch(/ 1\/3 - \d+\.\d\dit\/s.\[K$/);
    expect(files).toEqual([]);
  });

  it('flood-stderr writes 100 MB with colours and invalid UTF-8, then ends well', async () => {
    const env = { PATH: process.env['PATH'], SD_CLI_STAND_IN_SPEED: '0', SD_CLI_STAND_IN_FAULT: 'flood-stderr' };
    const folder = newFolder();
    const child = spawn(STAND_IN, [...SMALL, '-o', 'out.png'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe']
    });
    let bytes = 0;
    let sample: Buffer = Buffer.alloc(0);
    child.stderr.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      sample = chunk;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(bytes).toBeGreaterThanOrEqual(100_000_000);
    expect(sample.includes('\u001B[31m')).toBe(true);
    expect(sample.toString('utf8')).toContain('\uFFFD');
    expect(picture(folder).width).toBe(64);
  });

  it('spawn-grandchild starts a process that outlives the run', async () => {
    const { ended } = await make([], { SD_CLI_STAND_IN_FAULT: 'spawn-grandchild' });
    expect(ended.code).toBe(0);
    const grandchild = Number(/^\[INFO \] stand-in: grandchild (\d+)$/m.exec(ended.stdout)?.[1]);
    expect(process.kill(grandchild, 0)).toBe(true);
    process.kill(grandchild, 'SIGKILL');
  });

  it('ignore-sigterm leaves only SIGKILL', async () => {
    const folder = newFolder();
    const run = startStandIn([...SMALL, '-o', 'out.png'], folder, { SD_CLI_STAND_IN_FAULT: 'ignore-sigterm' });
    await run.shows(' 1/3 - ');
    run.child.kill('SIGTERM');
    await run.shows('stand-in: ignored SIGTERM');
    run.child.kill('SIGKILL');
    expect(await run.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  });
});

describe('a signal ends the run at once and leaves no image but the preview', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)('%s', async (signal) => {
    const folder = newFolder();
    const argv = [...SMALL, '-o', 'out.png', '--preview', 'proj', '--preview-path', 'preview.png'];
    const run = startStandIn(argv, folder, { SD_CLI_STAND_IN_FAULT: 'hang' });
    await run.shows(' 1/3 - ');
    run.child.kill(signal);
    expect(await run.ended).toMatchObject({ code: null, signal, stderr: '' });
    expect([...filesBelow(folder).keys()]).toEqual(['preview.png']);
    expect(readPng(readFileSync(join(folder, 'preview.png')))).toMatchObject({ width: 8, height: 8 });
  });
});

it('ends quietly when nobody reads its output any more', async () => {
  const folder = newFolder();
  const run = startStandIn([...SMALL, '--steps', '100000', '-o', 'out.png'], folder);
  await run.shows(' 1/100000 - ');
  run.child.stdout.destroy();
  expect(await run.ended).toMatchObject({ code: 141, stderr: '' });
  expect([...filesBelow(folder).keys()]).toEqual([]);
});

it('lets the recorded time pass at the chosen pace and reports the recorded time', async () => {
  const { ended } = await make([], { SD_CLI_STAND_IN_SPEED: '1000' });
  const unhurried = await make([], { SD_CLI_STAND_IN_SPEED: '0' });
  expect(ended).toEqual(unhurried.ended);
});

function newFolder(): string {
  const folder = mkdtempSync(join(home, 'run-'));
  symlinkSync(join(home, 'models'), join(folder, 'models'), 'junction');
  return folder;
}

async function make(argv: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const folder = newFolder();
  const ended = await runStandIn([...SMALL, '-o', 'out.png', ...argv], folder, environment);
  return { ended, folder, files: [...filesBelow(folder).keys()].toSorted() };
}

function picture(folder: string, name = 'out.png') {
  return readPng(readFileSync(join(folder, name)));
}

async function expectAsRecorded(name: string, run: typeof runStandIn): Promise<void> {
  const recorded = recordedRun(name);
  const { ended, files } = await replay(name, recorded, run);
  expect(comparable(name, ended)).toEqual(comparable(name, recorded));
  expect(files).toEqual(recorded.files);
}

async function replay(name: string, recorded: RecordedRun, run: typeof runStandIn) {
  const folder = newFolder();
  prepareInputs(name, recorded.argv, folder);
  const before = filesBelow(folder);
  const ended = await run(recorded.argv, folder, { SD_CLI_STAND_IN_FAULT: FAULTS[name] ?? '' });
  const after = filesBelow(folder);
  const files = [...after].filter(([path, digest]) => before.get(path) !== digest).map(([path]) => path);
  return { ended, folder, files: files.toSorted() };
}

function comparable(name: string, { code, signal, stdout, stderr }: Ended | RecordedRun): Ended {
  const ended = { code, signal, stdout: withoutTimes(stdout), stderr: withoutTimes(stderr) };
  switch (name) {
    case 'list-devices':
      return { ...ended, stdout: ended.stdout.replace(/\t.*/, '\t<device>') };
    case 'txt2img-random-seed':
      return { ...ended, stdout: ended.stdout.replace(/seed \d+/, 'seed <random>') };
    default:
      return ended;
  }
}
