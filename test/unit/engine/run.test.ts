import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { engineArguments } from '../../../server/engine/arguments/engine-arguments';
import type { EngineFile } from '../../../server/engine/arguments/engine-file';
import { engineEnvironment } from '../../../server/engine/environment';
import { type EngineRun, runEngine } from '../../../server/engine/run';
import { type Scratch, withScratch } from '../../../server/engine/scratch';
import { examinePngFile, readPngFile } from '../../../server/gallery/png/png-file';
import type { GenerationProgress } from '../../../shared/job-events';
import { failureOf } from './failures';
import { script, temporaryFolder, untilGone, untilWritten } from './processes';
import { expandSampleModel, STAND_IN } from './sample-model';

let home: string;
let root: string;
let files: EngineFile[];

beforeAll(async () => {
  home = await temporaryFolder();
  files = await expandSampleModel(home);
});

beforeEach(async () => {
  root = await mkdtemp(join(home, 'scratch-'));
});

// The promise of every run in this file, whatever became of it.
afterEach(async () => {
  expect(await readdir(root)).toEqual([]);
});

afterAll(() => rm(home, { recursive: true }));

interface Wishes {
  readonly images?: number;
  readonly prompt?: string;
  readonly fault?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly enginePath?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: GenerationProgress) => void;
}

function withRun<T>(wishes: Wishes, use: (run: EngineRun, scratch: Scratch) => Promise<T>): Promise<T> {
  const { images = 1, prompt = 'a lighthouse', fault = '', enginePath = STAND_IN, environment = {} } = wishes;
  return withScratch(
    root,
    (problem) => expect.unreachable(problem),
    (scratch) => {
      const settings = { width: 64, height: 64, steps: 3, cfg_scale: 1 };
      const output = 'image.png';
      const run: EngineRun = {
        enginePath,
        arguments: engineArguments({
          files,
          request: { prompt, images, ...settings },
          inputs: {},
          abilities: { options: new Set(), samplingMethods: new Set(), schedulers: new Set() },
          seed: 7,
          threads: 1,
          output,
          loras: new Set(),
          loraFolder: scratch.emptyFolder
        }).options,
        environment: {
          ...engineEnvironment(process.env, process.platform),
          SD_CLI_STAND_IN_SPEED: '0',
          ...(fault ? { SD_CLI_STAND_IN_FAULT: fault } : {}),
          ...environment
        },
        scratch,
        output,
        goal: { kind: 'images', count: images },
        seed: 7,
        model: 'tiny-sd1',
        readImage: examinePngFile,
        onProgress: wishes.onProgress ?? (() => undefined),
        signal: wishes.signal
      };
      return use(run, scratch);
    }
  );
}

const generate = (wishes: Wishes) => withRun(wishes, (run) => runEngine(run));

describe('a run of the engine', () => {
  it('gives a decodable image of the size and seed that were asked for', async () => {
    const [result, parameters] = await withRun({}, async (run) => {
      const made = await runEngine(run);
      return [made, (await readPngFile(made.images[0]!.path)).parameters] as const;
    });
    expect(result.images).toMatchObject([{ width: 64, height: 64, seed: 7 }]);
    expect(result.warnings).toEqual([]);
    expect(parameters).toContain('a lighthouse');
  });

  it('gives every image of a batch with its own seed', async () => {
    const { images } = await generate({ images: 3 });
    expect(images.map(({ seed }) => seed)).toEqual([7, 8, 9]);
  });

  it('passes prompts on to the letter', async () => {
    const prompt = '--help\n-o /tmp/x `id` $(id) "quoted" \\ 灯台';
    const parameters = await withRun({ prompt }, async (run) => {
      const { images } = await runEngine(run);
      return (await readPngFile(images[0]!.path)).parameters;
    });
    expect(parameters).toContain(prompt);
  });

  it('reports the phases in order and the last step', async () => {
    const reports: GenerationProgress[] = [];
    let time = 0;
    // Every report comes a second after the one before, so none is held back.
    const ticker = { now: () => (time += 1000), after: () => () => undefined };
    await withRun({ onProgress: (report) => reports.push(report) }, (run) => runEngine({ ...run, ticker }));
    // Weights are loaded in the middle of the other phases.
    const phases = reports.map(({ phase }) => phase).filter((phase) => phase !== 'loading');
    expect(phases.filter((phase, index) => phase !== phases[index - 1])).toEqual([
      'starting',
      'encoding',
      'sampling',
      'decoding',
      'saving'
    ]);
    expect(reports.filter(({ step }) => step === 3)).toMatchObject([
      { steps: 3, image: 1, images: 1, model: 'tiny-sd1' }
    ]);
    expect(reports.at(-1)?.phase).toBe('saving');
  });

  it('shows the engine nothing of our environment but what it needs', async () => {
    const dump = await script(
      home,
      'dump.cjs',
      `require('node:fs').writeFileSync(process.env.DUMP, JSON.stringify(process.env)); process.exit(1);`
    );
    const secrets = {
      DIFFUSION_DOCK_TOKEN_HUGGINGFACE: 'canary',
      HF_TOKEN: 'canary',
      AWS_SECRET_ACCESS_KEY: 'canary',
      NVIDIA_API_KEY: 'canary',
      ELECTRON_RUN_AS_NODE: 'canary',
      NODE_OPTIONS: '--no-warnings'
    };
    for (const [name, value] of Object.entries(secrets)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const note = join(home, 'environment.json');
    await failureOf(generate({ enginePath: dump, environment: { DUMP: note } }));
    const seen = JSON.parse(await readFile(note, 'utf8')) as Record<string, string>;
    expect(Object.keys(seen).filter((name) => name in secrets)).toEqual([]);
    expect(JSON.stringify(seen)).not.toContain('canary');
    expect(seen).toMatchObject({ PATH: process.env['PATH'], GGML_NO_BACKTRACE: '1' });
  });

  it('works in its scratch folder', async () => {
    const dump = await script(home, 'cwd.cjs', `require('node:fs').writeFileSync(process.env.DUMP, process.cwd());`);
    const note = join(home, 'cwd');
    const folder = await withRun({ enginePath: dump, environment: { DUMP: note } }, async (run, scratch) => {
      await failureOf(runEngine(run));
      return scratch.folder;
    });
    expect(await readFile(note, 'utf8')).toBe(folder);
  });
});

describe('a run that fails', () => {
  it.each([
    ['disk-full', 1, 'sd-cli wrote an image that is missing or damaged; the disk may be full.'],
    ['no-file', 1, 'sd-cli wrote an image that is missing or damaged; the disk may be full.'],
    ['partial-batch', 1, 'sd-cli ended without saving an image.'],
    ['crash-sampling', 1, 'sd-cli crashed (SIGSEGV).'],
    ['out-of-memory', 1, 'There is not enough memory for this image with this model.']
  ])('explains %s (%i images)', async (fault, images, sentence) => {
    const failure = await failureOf(generate({ fault, images }));
    expect(failure).toMatchObject({ code: 'engine-failed', message: sentence });
    expect(failure.cause).toBeInstanceOf(Error);
  });

  it('keeps the images of a batch that were saved, and says which is missing', async () => {
    const { images, warnings } = await generate({ fault: 'partial-batch', images: 3 });
    expect(images.map(({ seed }) => seed)).toEqual([7, 9]);
    expect(warnings).toEqual(['Only 2 of 3 images were saved: image 2 could not be written. Check the free space.']);
  });

  it('keeps the engine’s last lines for the log, twenty at most', async () => {
    const failure = await failureOf(generate({ fault: 'crash-sampling' }));
    const [heading, ...lines] = (failure.cause as Error).message.split('\n');
    expect(heading).toBe("sd-cli's last lines:");
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toMatch(/generating image|tensors/);
    expect(JSON.stringify(failure)).not.toContain('tensors');
  });

  it('is not kept from succeeding by 100 MB of invalid text', async () => {
    const { images } = await generate({ fault: 'flood-stderr' });
    expect(images).toHaveLength(1);
  }, 120_000);

  it('refuses arguments that the system does not take', async () => {
    const failure = await failureOf(
      withRun({}, (run) => runEngine({ ...run, arguments: ['--prompt', 'x'.repeat(200_000)] }))
    );
    expect(failure.code).toBe('engine-unusable');
    expect(failure.message).toContain('longer than the system allows');
  });

  it('says that there is no engine', async () => {
    const failure = await failureOf(generate({ enginePath: join(home, 'nosuch') }));
    expect(failure).toMatchObject({ code: 'engine-missing', subject: join(home, 'nosuch') });
  });
});

describe('a cancelled run', () => {
  it.each(['hang', 'hang,spawn-grandchild', 'ignore-sigterm'])('ends during sampling (%s)', async (fault) => {
    const cancel = new AbortController();
    const onProgress = ({ step }: GenerationProgress) => step && cancel.abort();
    const failure = await failureOf(generate({ fault, signal: cancel.signal, onProgress }));
    expect(failure.code).toBe('cancelled');
  });

  it('takes everything along that the engine has started', async () => {
    const note = join(home, 'grandchild');
    const parent = await script(
      home,
      'parent.cjs',
      `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)'], { stdio: 'inherit' });
      require('node:fs').writeFileSync(process.env.NOTE, process.pid + ' ' + child.pid);
      setInterval(() => 0, 1e6);`
    );
    const cancel = new AbortController();
    const running = failureOf(generate({ enginePath: parent, environment: { NOTE: note }, signal: cancel.signal }));
    const pids = (await untilWritten(note)).split(' ').map(Number);
    cancel.abort();
    expect((await running).code).toBe('cancelled');
    await Promise.all(pids.map((pid) => untilGone(pid)));
  });

  it('ends an engine that was being started meanwhile', async () => {
    const cancel = new AbortController();
    // The first report comes before the start.
    const onProgress = () => cancel.abort();
    const failure = await failureOf(generate({ fault: 'hang', signal: cancel.signal, onProgress }));
    expect(failure.code).toBe('cancelled');
  });

  it('does not start when it was cancelled before', async () => {
    const note = join(home, 'started');
    const never = await script(home, 'never.cjs', `require('node:fs').writeFileSync(process.env.NOTE, 'x')`);
    const signal = AbortSignal.abort();
    expect((await failureOf(generate({ enginePath: never, environment: { NOTE: note }, signal }))).code).toBe(
      'cancelled'
    );
    await expect(readFile(note)).rejects.toThrow('ENOENT');
  });
});
