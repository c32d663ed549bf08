import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EngineFile } from '../../../../server/engine/arguments/engine-file';
import { Declined } from '../../../../server/engine/resident/declined';
import { portHolder, unusedPort } from '../../../../server/engine/resident/port-holder';
import { sweepScratch } from '../../../../server/engine/scratch';
import { describeProcess, ownIdentity } from '../../../../server/platform/process-identity';
import type { GenerationProgress } from '../../../../shared/job-events';
import { failureOf } from '../failures';
import { untilGone } from '../processes';
import { expandSampleModel } from '../sample-model';
import { keeper, MINUTE_MS, modelName, type RunWishes, residentRun } from './keeper';

const TINY = modelName('tiny-sd1');

let home: string;
let files: EngineFile[];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'diffusion-dock-resident-'));
  files = await expandSampleModel(home);
});

afterAll(() => rm(home, { recursive: true, maxRetries: 5 }));

const run = (wishes?: RunWishes) => residentRun(home, files, wishes);

/** Resolves when a run has made its first step; a run that hangs is in the middle then. */
class FirstStep {
  readonly reached: Promise<void>;
  onProgress: (progress: GenerationProgress) => void = () => undefined;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.onProgress = ({ step }) => void (step !== undefined && resolve());
    });
  }
}

const STAYS = { SD_CLI_STAND_IN_FAULT: 'ignore-sigterm' };
const HANGS = { SD_CLI_STAND_IN_FAULT: 'hang' };

const HALF_FREE = () => Promise.resolve({ total: 1000, available: 500 });
const untold = () => Promise.resolve('unknown' as const);

/** For what happens by itself; other tests may keep the machine busy. */
const PATIENTLY = { timeout: 20_000 };

describe('a resident model', () => {
  it('makes what was asked for and says which engine made it', async () => {
    const { residents } = await keeper(home);
    const { images, warnings, version } = await residents.run(await run({ request: { images: 2 } }));
    expect(images).toMatchObject([
      { width: 64, height: 64, seed: 7 },
      { width: 64, height: 64, seed: 8 }
    ]);
    expect(warnings).toEqual([]);
    expect(version).toMatch(/^stable-diffusion\.cpp version stand-in .*, commit 97d29908$/);
  });

  it('stays loaded for the next request, which is made without loading again', async () => {
    const { residents, servers } = await keeper(home);
    await residents.run(await run());
    const before = await servers();
    const phases: string[] = [];
    await residents.run(
      await run({ request: { prompt: 'a ship' }, onProgress: ({ phase }) => void phases.push(phase) })
    );
    expect(await servers()).toEqual(before);
    expect(before).toHaveLength(1);
    expect(phases).not.toContain('loading');
    expect(residents.list()).toMatchObject([{ model: TINY, isGenerating: false }]);
  });

  it('tells the steps of a run as they are printed', async () => {
    const { residents } = await keeper(home);
    const reports: GenerationProgress[] = [];
    const wishes = {
      request: { steps: 30 },
      environment: { SD_CLI_STAND_IN_SPEED: '1' },
      onProgress: (report: GenerationProgress) => void reports.push(report)
    };
    await residents.run(await run(wishes));
    expect(reports).toContainEqual(expect.objectContaining({ phase: 'sampling', step: expect.any(Number), steps: 30 }));
    expect(reports.at(-1)).toMatchObject({ model: 'tiny-sd1', phase: 'saving', images: 1 });
  });

  it('warns of a size that the engine rounded up', async () => {
    const { residents } = await keeper(home);
    const { images, warnings } = await residents.run(await run({ request: { width: 70 } }));
    expect(images).toMatchObject([{ width: 128, height: 64 }]);
    expect(warnings).toEqual(['The size was rounded up from 70 × 64 to 128 × 64.']);
  });

  it('is loaded anew when its files are others, or what it was started with', async () => {
    const { residents, servers } = await keeper(home);
    await residents.run(await run());
    const [first] = await servers();
    await residents.run(await run({ contentKey: 'pulled anew' }));
    const [second] = await servers();
    await residents.run(await run({ contentKey: 'pulled anew', request: { offload_to_cpu: true } }));
    const [third] = await servers();
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('takes one request after another', async () => {
    const { residents, servers } = await keeper(home);
    const results = await Promise.all([1, 2, 3].map(async () => residents.run(await run())));
    expect(results.map(({ images }) => images.length)).toEqual([1, 1, 1]);
    expect(await servers()).toHaveLength(1);
  });

  it('does not keep another one from being loaded', async () => {
    const { residents, servers } = await keeper(home);
    await residents.run(await run());
    await residents.run(await run({ model: 'other-model' }));
    expect(residents.list().map(({ model }) => model)).toEqual(['tiny-sd1', 'other-model']);
    expect(await servers()).toHaveLength(2);
  });
});

describe('a run that is cancelled', () => {
  it('ends a server that does not want to end, and the next run starts another', async () => {
    const { residents, servers } = await keeper(home);
    const controller = new AbortController();
    const { onProgress, reached } = new FirstStep();
    const running = failureOf(residents.run(await run({ environment: STAYS, onProgress, signal: controller.signal })));
    await reached;
    const [pid = 0] = await servers();
    controller.abort();
    expect((await running).code).toBe('cancelled');
    await untilGone(pid);
    expect(residents.list()).toEqual([]);
    expect((await residents.run(await run())).images).toHaveLength(1);
  });

  it('leaves nothing to wait for: no server is idle, and no memory is watched for one', async () => {
    const { residents, ticker } = await keeper(home);
    const controller = new AbortController();
    const { onProgress, reached } = new FirstStep();
    const running = failureOf(residents.run(await run({ environment: STAYS, onProgress, signal: controller.signal })));
    await reached;
    controller.abort();
    await running;
    expect(ticker.pending).toBe(0);
  });

  it('leaves the one before it alone while it waits', async () => {
    const { residents } = await keeper(home);
    const controller = new AbortController();
    const { onProgress, reached } = new FirstStep();
    const first = residents.run(
      await run({ request: { steps: 30 }, environment: { SD_CLI_STAND_IN_SPEED: '1' }, onProgress })
    );
    await reached;
    const waiting = failureOf(residents.run(await run({ signal: controller.signal })));
    controller.abort();
    expect((await waiting).code).toBe('cancelled');
    expect((await first).images).toHaveLength(1);
  });
});

describe('a server that ends by itself', () => {
  it('is told by how it ended when that happens in the middle of a run, and started again for the next one', async () => {
    const { residents, servers } = await keeper(home);
    const { onProgress, reached } = new FirstStep();
    const running = failureOf(residents.run(await run({ environment: HANGS, onProgress })));
    await reached;
    const [pid = 0] = await servers();
    process.kill(pid, 'SIGKILL');
    expect(await running).toMatchObject({
      code: 'engine-failed',
      message: 'sd-server was killed, which happens when memory runs out.'
    });
    expect(residents.list()).toEqual([]);
    expect((await residents.run(await run())).images).toHaveLength(1);
  });

  it('is forgotten when nobody uses it', async () => {
    const { residents, servers } = await keeper(home);
    await residents.run(await run());
    const [pid = 0] = await servers();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => residents.list(), PATIENTLY).toEqual([]);
    expect((await residents.run(await run())).images).toHaveLength(1);
  });

  it('is explained when it does not even start', async () => {
    const { residents, root } = await keeper(home);
    const missing = files.map((file) => ({ ...file, path: `${file.path}.gone` }));
    const failure = await failureOf(residents.run(await residentRun(home, missing)));
    expect(failure).toMatchObject({ code: 'engine-failed', message: 'The file te-sd1-q1_0.gguf.gone is missing.' });
    expect(await sweepScratch(root)).toMatchObject({ removed: 0 });
    expect(residents.list()).toEqual([]);
  });
});

describe('an idle model is unloaded', () => {
  it('when its time is over, which begins anew with each run', async () => {
    const { residents, ticker, servers } = await keeper(home);
    await residents.run(await run());
    ticker.pass(9 * MINUTE_MS);
    await residents.run(await run());
    ticker.pass(9 * MINUTE_MS);
    expect(residents.list()).toHaveLength(1);
    const [pid = 0] = await servers();
    ticker.pass(MINUTE_MS);
    await untilGone(pid);
    expect(residents.list()).toEqual([]);
  });

  it('not when a request for it has come, whatever happens while it is asked whether it still has its port', async () => {
    const meanwhile: (() => unknown)[] = [];
    const holderOf = async () => {
      await meanwhile.pop()?.();
      return 'ours' as const;
    };
    const { residents, ticker, servers } = await keeper(home, { ports: { choose: unusedPort, holderOf } });
    await residents.run(await run());
    const [pid] = await servers();
    meanwhile.push(() => ticker.pass(10 * MINUTE_MS));
    expect((await residents.run(await run())).images).toHaveLength(1);
    expect(await servers()).toEqual([pid]);
    meanwhile.push(() => residents.unload(TINY));
    expect((await residents.run(await run())).images).toHaveLength(1);
    await expect.poll(() => residents.list(), PATIENTLY).toEqual([]);
  });

  it('when memory is short, the one first that was not used for longest', async () => {
    const memory = () => Promise.resolve({ total: 100, available: residents.list().length > 1 ? 9 : 11 });
    const { residents, ticker } = await keeper(home, { memory, settings: { idleMs: Infinity, memoryReserve: 0.1 } });
    await residents.run(await run({ weightBytes: 0 }));
    ticker.pass(1);
    await residents.run(await run({ weightBytes: 0, model: 'other-model' }));
    expect(residents.list()).toHaveLength(2);
    ticker.pass(5000);
    await expect.poll(() => residents.list().map(({ model }) => model), PATIENTLY).toEqual(['other-model']);
  });

  it('when another one needs its room', async () => {
    const { residents } = await keeper(home, { memory: HALF_FREE, settings: { idleMs: Infinity, memoryReserve: 0.1 } });
    await residents.run(await run({ weightBytes: 300 }));
    await residents.run(await run({ weightBytes: 450, model: 'other-model' }));
    expect(residents.list().map(({ model }) => model)).toEqual(['other-model']);
  });

  it('when somebody says so', async () => {
    const { residents, servers } = await keeper(home);
    await residents.run(await run());
    const [pid = 0] = await servers();
    expect(await residents.unload(TINY)).toBe(true);
    expect(residents.list()).toEqual([]);
    expect(await describeProcess(pid)).toBeUndefined();
    expect(await residents.unload(TINY)).toBe(false);
  });

  it('after the run that it is busy with', async () => {
    const { residents } = await keeper(home);
    const { onProgress, reached } = new FirstStep();
    const running = residents.run(
      await run({ request: { steps: 30 }, environment: { SD_CLI_STAND_IN_SPEED: '1' }, onProgress })
    );
    await reached;
    expect(await residents.unload(TINY)).toBe(true);
    expect((await running).images).toHaveLength(1);
    await expect.poll(() => residents.list(), PATIENTLY).toEqual([]);
  });
});

describe('a server that outlived the process that had started it', () => {
  it('is on record from its start, and ended at the next start of ours', async () => {
    const { residents, root, servers } = await keeper(home);
    await residents.run(await run());
    const [pid = 0] = await servers();
    const [record] = await records(root);
    const owner = { ...(await ownIdentity()), startTime: '1' };
    await writeFile(record!.path, JSON.stringify({ ...record!.content, owner }));
    expect(await sweepScratch(root)).toMatchObject({ removed: 1, ended: 1, problems: [] });
    await untilGone(pid);
  });
});

describe('the port of a server', () => {
  const onLinux = it.runIf(process.platform === 'linux');

  onLinux('is chosen again when somebody else answers there', async () => {
    const foreign = createServer();
    onTestFinished(() => void foreign.close());
    const taken = await unusedPort();
    await new Promise<void>((resolve) => {
      foreign.listen({ host: '127.0.0.1', port: taken }, resolve);
    });
    const asked: number[] = [];
    const holderOf = async (port: number, leader: number) => {
      asked.push(port);
      return portHolder(port, leader);
    };
    let next = taken;
    const choose = async (): Promise<number> => {
      const chosen = next;
      next = await unusedPort();
      return chosen;
    };
    // It says that it listens, although the port is taken: as with SO_REUSEPORT, nothing tells it.
    const { residents } = await keeper(home, { ports: { choose, holderOf } });
    const mute = { SD_SERVER_STAND_IN_FAULT: 'does-not-listen' };
    const failure = await failureOf(residents.run(await run({ environment: mute })));
    expect(failure).toMatchObject({
      code: 'engine-unusable',
      message: 'No port was found that sd-server has to itself.'
    });
    expect(asked[0]).toBe(taken);
    expect(new Set(asked).size).toBe(3);
  });

  it('is given up when somebody joins, and the next run gets another', async () => {
    let isShared = false;
    const holderOf = () => Promise.resolve(isShared ? ('foreign' as const) : ('ours' as const));
    const { residents, servers } = await keeper(home, { ports: { choose: unusedPort, holderOf } });
    await residents.run(await run());
    const [first] = await servers();
    isShared = true;
    const failing = failureOf(residents.run(await run()));
    expect(await failing).toMatchObject({ code: 'engine-unusable' });
    isShared = false;
    await residents.run(await run());
    expect(await servers()).not.toContain(first);
  });

  it('spoils the answer when somebody joined in the meantime', async () => {
    let checks = 0;
    // The start is checked once; then the end of the run.
    const holderOf = () => Promise.resolve((checks += 1) === 1 ? ('ours' as const) : ('foreign' as const));
    const { residents } = await keeper(home, { ports: { choose: unusedPort, holderOf } });
    expect(await failureOf(residents.run(await run()))).toMatchObject({
      code: 'bad-response',
      message: 'Another program answered in the place of sd-server.'
    });
    expect(residents.list()).toEqual([]);
  });

  it('is told by a page of its own where the platform does not say who listens', async () => {
    const { residents } = await keeper(home, { ports: { choose: unusedPort, holderOf: untold } });
    expect((await residents.run(await run())).images).toHaveLength(1);
  });
});

describe('an answer that is not what was asked for', () => {
  const cases: readonly (readonly [fault: string, message: string])[] = [
    ['other-steps', 'sd-server did not do what was asked for: the number of steps is 4 and not 3.'],
    ['no-settings', 'sd-server sent an image that does not tell how it was made.'],
    ['too-few', 'sd-server made only 1 of 2 images.'],
    ['bad-base64', 'The answer of sd-server cannot be used: an image is no base64.'],
    ['cut-answer', 'sd-server stopped answering: aborted.']
  ];
  for (const [fault, message] of cases) {
    it(`is a failure: ${fault}`, async () => {
      const { residents } = await keeper(home);
      const wishes = { request: { images: 2 }, environment: { SD_SERVER_STAND_IN_FAULT: fault } };
      expect((await failureOf(residents.run(await run(wishes)))).message).toBe(message);
    });
  }
});

describe('what only sd-cli can do', () => {
  const cases: readonly (readonly [what: string, wishes: RunWishes, reason: string])[] = [
    ['an option of its own', { options: ['--upscale-model', 'x'] }, 'sd-server has nothing like --upscale-model.'],
    ['more images than a server makes', { request: { images: 9 } }, 'sd-server makes at most 8 images at once.'],
    ['more steps than a server makes', { request: { steps: 101 } }, 'sd-server makes at most 100 steps.'],
    ['a larger image', { request: { width: 5000 } }, 'sd-server makes images of at most 4096 × 4096 pixels.'],
    [
      'a sampling method that would be ignored',
      { request: { sampling_method: 'nosuch' } },
      'This sd-server does not know the sampling method "nosuch".'
    ]
  ];
  for (const [what, wishes, reason] of cases) {
    it(`is declined with a reason: ${what}`, async () => {
      const { residents } = await keeper(home);
      const declined = residents.run(await run(wishes));
      await expect(declined).rejects.toBeInstanceOf(Declined);
      await expect(declined).rejects.toMatchObject({ reason });
    });
  }
});

async function records(root: string): Promise<{ path: string; content: object }[]> {
  return Promise.all(
    (await readdir(root)).map(async (name) => {
      const path = join(root, name, 'record.json');
      return { path, content: JSON.parse(await readFile(path, 'utf8')) as object };
    })
  );
}
