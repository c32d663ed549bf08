import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Scratch, sweepScratch, withScratch } from '../../../server/engine/scratch';
import { describeProcess, ownIdentity, type ProcessIdentity } from '../../../server/platform/process-identity';
import { temporaryFolder, untilGone } from './processes';

let root: string;

beforeEach(async () => {
  root = join(await temporaryFolder(), '.scratch');
});

afterEach(() => rm(join(root, '..'), { recursive: true }));

const noProblem = (problem: string) => expect.unreachable(problem);

interface Child {
  readonly pid: number;
  readonly identity: ProcessIdentity;
  readonly end: () => Promise<void>;
}

/** A process that leads its own group, as the engine does. */
async function child(): Promise<Child> {
  const started = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], {
    detached: true,
    stdio: 'ignore'
  });
  await once(started, 'spawn');
  const exited = once(started, 'exit');
  const identity = (await describeProcess(started.pid!))!;
  const end = async () => {
    started.kill('SIGKILL');
    await exited;
  };
  return { pid: started.pid!, identity, end };
}

/** The identity of a process that is gone. */
async function deadProcess(): Promise<ProcessIdentity> {
  const { identity, end } = await child();
  await end();
  return identity;
}

async function leave(name: string, record: unknown): Promise<void> {
  await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, name, 'record.json'), typeof record === 'string' ? record : JSON.stringify(record));
  await writeFile(join(root, name, 'image.png'), 'half an image');
}

describe('a scratch folder', () => {
  it('is there for the run and gone afterwards, with all its content', async () => {
    const content = await withScratch(root, noProblem, async ({ folder, emptyFolder }) => {
      await mkdir(join(folder, 'deep', 'er'), { recursive: true });
      await writeFile(join(folder, 'deep', 'er', 'image.png'), 'x');
      return [await readdir(emptyFolder), await readdir(root)] as const;
    });
    expect(content).toEqual([[], [expect.stringMatching(/^[0-9a-f]{16}$/)]]);
    expect(await readdir(root)).toEqual([]);
  });

  it('is gone when the run fails', async () => {
    const failing = withScratch(root, noProblem, () => Promise.reject(new Error('failed')));
    await expect(failing).rejects.toThrow('failed');
    expect(await readdir(root)).toEqual([]);
  });

  it('names its owner and the engine', async () => {
    const { pid, identity, end } = await child();
    const record = await withScratch(root, noProblem, async (scratch: Scratch) => {
      await scratch.recordChild(pid);
      return JSON.parse(await readFile(join(scratch.folder, 'record.json'), 'utf8')) as unknown;
    });
    expect(record).toEqual({ owner: await ownIdentity(), child: identity });
    await end();
  });

  it('says what it cannot make', async () => {
    await writeFile(root, 'a file in the way');
    await expect(withScratch(root, noProblem, () => Promise.resolve())).rejects.toMatchObject({ code: 'file-access' });
    await rm(root);
    await mkdir(root);
  });
});

describe('a sweep', () => {
  it('removes what a dead process left and ends the engine that it had started', async () => {
    const orphan = await child();
    await leave('crashed', { owner: await deadProcess(), child: orphan.identity });
    expect(await sweepScratch(root)).toEqual({ removed: 1, ended: 1, problems: [] });
    expect(await readdir(root)).toEqual([]);
    await untilGone(orphan.pid);
  });

  it('leaves the folders of living processes alone, and their engines', async () => {
    const engine = await child();
    await leave('running', { owner: await ownIdentity(), child: engine.identity });
    expect(await sweepScratch(root)).toEqual({ removed: 0, ended: 0, problems: [] });
    expect(await describeProcess(engine.pid)).toEqual(engine.identity);
    await engine.end();
  });

  it('never ends a process that only has the same id', async () => {
    const stranger = await child();
    await leave('crashed', { owner: await deadProcess(), child: { ...stranger.identity, startTime: '1' } });
    await leave('untold', { owner: await deadProcess(), child: { ...stranger.identity, startTime: '' } });
    await leave('rebooted', { owner: await deadProcess(), child: { ...stranger.identity, bootId: 'earlier' } });
    expect(await sweepScratch(root)).toEqual({ removed: 3, ended: 0, problems: [] });
    expect(await describeProcess(stranger.pid)).toEqual(stranger.identity);
    await stranger.end();
  });

  it('leaves alone what belongs to another machine', async () => {
    await leave('elsewhere', { owner: { ...(await deadProcess()), host: 'another-machine' } });
    expect((await sweepScratch(root)).removed).toBe(0);
  });

  it('waits before it removes a folder that may just be in the making', async () => {
    await leave('torn', '{"owner":');
    await mkdir(join(root, 'bare'));
    expect((await sweepScratch(root)).removed).toBe(0);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(root, 'torn'), longAgo, longAgo);
    await utimes(join(root, 'bare'), longAgo, longAgo);
    expect((await sweepScratch(root)).removed).toBe(2);
  });

  it('finds nothing to do before the first run', async () => {
    expect(await sweepScratch(root)).toEqual({ removed: 0, ended: 0, problems: [] });
    await mkdir(root);
  });
});
