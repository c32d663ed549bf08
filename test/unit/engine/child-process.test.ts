import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RunningChild, startChild } from '../../../server/platform/child-process';
import { script, temporaryFolder, untilGone, untilWritten } from './processes';

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => rm(folder, { recursive: true }));

async function start(body: string, argv: readonly string[] = [], environment = {}): Promise<[RunningChild, string[]]> {
  const output: string[] = [];
  const file = await script(folder, `child-${Math.random()}.cjs`, body);
  const onOutput = (chunk: Uint8Array) => output.push(Buffer.from(chunk).toString());
  return [await startChild({ file, arguments: argv, environment, onOutput, onError: onOutput }), output];
}

/** A child that starts another, and writes its process id to a file named by its first argument. */
function parentOf(options: string, afterwards: string): string {
  return `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], ${options});
    require('node:fs').writeFileSync(process.argv[2], String(child.pid));
    ${afterwards}`;
}

const nothing = () => undefined;
const forever = 'setInterval(() => undefined, 1e6);';

describe('a child process', () => {
  it('gets its arguments as they are, without a shell', async () => {
    const argv = ['$(echo no)', '`no`', 'two words', '*', '', '-x', 'a\nb'];
    const [child, output] = await start('console.log(JSON.stringify(process.argv.slice(2)))', argv);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(output.join(''))).toEqual(argv);
  });

  it('inherits nothing of our environment', async () => {
    vi.stubEnv('CANARY_TOKEN', 'canary');
    onTestFinished(() => void vi.unstubAllEnvs());
    const [child, output] = await start('console.log(Object.keys(process.env).join())', [], { ONLY: 'this' });
    await child.ended;
    expect(output.join('').trim()).toBe('ONLY');
  });

  it('has ended only when all its output has arrived', async () => {
    const [child, output] = await start('process.stdout.write("x".repeat(3e6)); process.stderr.write("y".repeat(2e6))');
    await child.ended;
    expect(output.join('').length).toBe(5e6);
  });

  it('tells the signal that ended it', async () => {
    const [child] = await start('process.kill(process.pid, "SIGKILL"); setInterval(() => undefined, 1e6)');
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('takes its grandchildren along when it is ended', async () => {
    const note = join(folder, 'grandchild');
    const [child] = await start(parentOf('{ stdio: "inherit" }', forever), [note]);
    const grandchild = Number(await untilWritten(note));
    await child.kill();
    expect(await child.ended).toEqual({ code: null, signal: 'SIGTERM' });
    await untilGone(grandchild);
  });

  it('takes along a grandchild that ignores signals and writes nowhere', async () => {
    const note = join(folder, 'deaf-grandchild');
    const [child] = await start(
      `const { spawn } = require('node:child_process');
      const deaf = "process.on('SIGTERM', () => 0); require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => 0, 1e6)";
      spawn(process.execPath, ['-e', deaf, process.argv[2]], { stdio: 'ignore' });
      ${forever}`,
      [note]
    );
    const grandchild = Number(await untilWritten(note));
    await child.kill();
    await untilGone(grandchild);
  });

  it('is killed when it ignores the request to end', async () => {
    const note = join(folder, 'deaf');
    const [child] = await start(
      `process.on('SIGTERM', () => undefined); require('node:fs').writeFileSync(process.argv[2], 'ready'); ${forever}`,
      [note]
    );
    await untilWritten(note);
    await child.kill();
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('counts as ended although a process that left its group holds the pipes', async () => {
    const note = join(folder, 'runaway');
    const [child] = await start(parentOf('{ stdio: "inherit", detached: true }', forever), [note]);
    const runaway = Number(await untilWritten(note));
    await child.kill();
    expect(await child.ended).toEqual({ code: null, signal: 'SIGTERM' });
    process.kill(runaway, 'SIGKILL');
  });

  it('leaves no grandchild behind when it ends by itself', async () => {
    const note = join(folder, 'left-behind');
    const [child] = await start(parentOf('{ stdio: "inherit" }', 'process.exit(3)'), [note]);
    const pid = Number(await untilWritten(note));
    const ended = await child.ended;
    expect(ended).toEqual({ code: 3, signal: null });
    await untilGone(pid);
  });

  it('can be ended twice and after its end', async () => {
    const [child] = await start(forever);
    await Promise.all([child.kill(), child.kill()]);
    await child.kill();
    expect((await child.ended).signal).toBe('SIGTERM');
  });

  it.each([
    ['a missing file', 'ENOENT', () => join(folder, 'nosuch')],
    ['a folder', 'EACCES', () => folder]
  ])('is not started from %s', async (_, code, path) => {
    const starting = startChild({ file: path(), arguments: [], environment: {}, onOutput: nothing, onError: nothing });
    await expect(starting).rejects.toMatchObject({ code });
  });

  it('is not started with more than the system takes', async () => {
    const file = await script(folder, 'large.cjs', '');
    const argv = ['x'.repeat(200_000)];
    const starting = startChild({ file, arguments: argv, environment: {}, onOutput: nothing, onError: nothing });
    await expect(starting).rejects.toMatchObject({ code: 'E2BIG' });
  });
});
