import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  bootId,
  describeProcess,
  isGone,
  isProvedDead,
  nonce,
  ownerTag,
  ownIdentity,
  type ProcessIdentity,
  parseOwnerTag
} from '../../../server/platform/process-identity';

let own: ProcessIdentity;

beforeEach(async () => {
  own = await ownIdentity();
});

/** A process that does nothing until it is killed. */
async function sleeper() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 60000)'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const identity = await describeProcess(child.pid ?? 0);
  if (!identity) throw new Error('the process does not run');
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { identity, kill };
}

describe('an owner’s tag', () => {
  it('gives the identity back', () => {
    expect(parseOwnerTag(ownerTag(own, nonce()))).toEqual(own);
  });

  it('can be a part of a file name everywhere', () => {
    expect(ownerTag(own, nonce())).toMatch(/^[A-Za-z0-9_~-]+$/);
  });

  it.each([
    '',
    'x',
    '~~~~',
    'h~b~0~s~u',
    'h~b~-1~s~u',
    'h~b~1.5~s~u',
    'h~b~x~s~u',
    'h~b~1~s',
    'h~b~1~s~',
    'h~b~1~s~u~v'
  ])('is not the text “%s”', (text) => {
    expect(parseOwnerTag(text)).toBeUndefined();
  });

  it('is another one each time', () => {
    expect(new Set(Array.from({ length: 1000 }, nonce)).size).toBe(1000);
  });
});

describe('a process', () => {
  it('is not proved dead while it lives', async () => {
    const { identity } = await sleeper();
    expect(await isProvedDead(identity)).toBe(false);
    expect(await isProvedDead(own)).toBe(false);
  });

  it('is proved dead once it was killed', async () => {
    const { identity, kill } = await sleeper();
    await kill();
    expect(await isProvedDead(identity)).toBe(true);
    expect(await describeProcess(identity.pid)).toBeUndefined();
  });

  it('of another host is never proved dead', async () => {
    const { identity, kill } = await sleeper();
    await kill();
    expect(await isProvedDead({ ...identity, host: 'elsewhere' })).toBe(false);
  });

  it('of another boot is dead, even if its id is in use', async () => {
    expect(await isProvedDead({ ...own, bootId: '00000000-0000-0000-0000-000000000000' })).toBe(true);
  });

  it('is not dead because a boot that was only estimated seems to be another', async () => {
    expect(await isProvedDead({ ...own, bootId: 'boot-1' })).toBe(false);
  });

  it('whose start time nobody told is not dead while its id is in use', async () => {
    expect(await isProvedDead({ ...own, startTime: '' })).toBe(false);
  });

  it('of the system itself is described too', async () => {
    expect(await describeProcess(1)).toMatchObject({ pid: 1, host: own.host });
  });
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  it('tells boots apart by the kernel’s own id', async () => {
    expect(await bootId()).toBe((await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim());
  });

  it('takes a reused process id for another process', async () => {
    expect(await isProvedDead({ ...own, startTime: `${Number(own.startTime) - 1}` })).toBe(true);
  });

  it('counts a process that only waits to be reaped as dead', async () => {
    // The shell starts a process that ends with its input, and becomes a program that never asks about its children.
    const parent = spawn('sh', ['-c', 'cat <&3 >/dev/null & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe']
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [output] = await once(parent.stdout as Readable, 'data');
    const pid = Number(String(output));
    const command = (): Promise<string> => readFile(`/proc/${parent.pid}/comm`, 'utf8');
    await vi.waitUntil(async () => (await command()) === 'sleep\n', { timeout: 10_000, interval: 5 });
    (parent.stdio[3] as Writable).end();
    const stat = (): Promise<string> => readFile(`/proc/${pid}/stat`, 'utf8');
    await vi.waitUntil(async () => /\) Z /.test(await stat()), { timeout: 10_000, interval: 5 });
    const startTime = (await stat()).split(') ')[1]?.split(' ')[19] ?? '';
    expect(await isProvedDead({ ...own, pid, startTime })).toBe(true);
    expect(await describeProcess(pid)).toBeUndefined();
  });
});

describe('when too many files are open', () => {
  afterEach(() => {
    vi.doUnmock('node:fs/promises');
    vi.resetModules();
  });

  it('a living process is not taken for dead, nor given another boot', async () => {
    const real = await import('node:fs/promises');
    let isExhausted = true;
    const readFileOrFail = (path: string, encoding: BufferEncoding): Promise<string> =>
      isExhausted
        ? Promise.reject(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }))
        : real.readFile(path, encoding);
    vi.resetModules();
    vi.doMock('node:fs/promises', () => ({ ...real, readFile: readFileOrFail }));
    const fresh = await import('../../../server/platform/process-identity');
    await expect(fresh.bootId()).rejects.toThrow('EMFILE');
    isExhausted = false;
    expect(await fresh.bootId()).toBe(own.bootId);
    isExhausted = true;
    expect(await fresh.isProvedDead(own)).toBe(false);
    expect(await fresh.isProvedDead({ ...own, pid: 2 ** 22 + 1 })).toBe(true);
  });
});

const DAY_MS = 24 * 3600 * 1000;

function elsewhere(): ProcessIdentity {
  return { ...own, host: `${own.host}_4026532000` };
}

describe('a process elsewhere', () => {
  it('in another PID namespace of this machine is not proved dead by a look at the ids of this one', async () => {
    expect(await isProvedDead({ ...elsewhere(), pid: 4_000_000 })).toBe(false);
  });

  it('counts as gone after a week without a sign of life, unless a clock was moved', async () => {
    expect(await isGone(elsewhere(), Date.now() - 6 * DAY_MS)).toBe(false);
    expect(await isGone(elsewhere(), Date.now() - 8 * DAY_MS)).toBe(true);
    expect(await isGone(elsewhere(), Date.now() - 4000 * DAY_MS)).toBe(false);
  });

  it('on this machine lives for as long as it runs', async () => {
    expect(await isGone(own, Date.now() - 15 * DAY_MS)).toBe(false);
  });
});
