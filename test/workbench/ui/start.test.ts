import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { descendantsOf, runningProcesses } from '../../../scripts/process-tree.mjs';
import { launchBrowser } from '../../support/vscode/browser.mjs';
import { Workbench } from '../../support/vscode/workbench.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const screenshot = join(root, 'test', 'output', 'screenshots', 'start.png');

/** On a new machine the command installs VS Code first, in ms. */
const START_MS = 300_000;

/** Ending everything takes the command five seconds at most, and then some on a busy machine, in ms. */
const END_MS = 20_000;

describe('npm start', { timeout: START_MS + 120_000 }, () => {
  let folder: string;
  let home: string;
  let command: RunningCommand | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diffusion-dock-start-'));
    home = join(folder, 'home');
  });

  afterEach(async () => {
    await command?.end();
    command = undefined;
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });

  it('prints an address where a fresh browser can pull the samples, and ends everything on Ctrl-C', async () => {
    command = startCommand(['--browser', '--engine', 'stand-in', '--home', home]);
    const address = await command.prints(/^http:\/\/127\.0\.0\.1:\d+\/\?folder=\S+$/m);
    const { instance, page } = await launchBrowser({});
    try {
      page.setDefaultTimeout(60_000);
      await page.goto(address);
      const workbench = new Workbench(page, {
        root: folder,
        workspace: join(home, 'workspace'),
        origin: new URL(address).origin,
        serverGone: new Promise(() => undefined),
        close: () => instance.close()
      });
      await workbench.ready();
      await workbench.openView('Diffusion Dock');
      const labels = await workbench.until(async () => {
        const rows = await workbench.treeRows('Models');
        return rows.length >= 2 && rows.map(({ label }) => label);
      }, 'the models in their view');
      expect(labels).toEqual(expect.arrayContaining(['tiny-sd1', 'tiny-sdxs']));
      await workbench.clickTreeItem('Models', 'tiny-sdxs', { action: 'Pull' });
      await workbench.until(async () => {
        const rows = await workbench.treeRows('Models');
        return rows.some(({ label, description }) => label === 'tiny-sdxs' && description.startsWith('installed'));
      }, 'the pulled model');
      await workbench.screenshot(screenshot);

      const family = command.family();
      expect(family.length).toBeGreaterThan(3);
      command.interrupt();
      await command.ended;
      expect(runningAmong(family)).toEqual([]);
    } finally {
      await instance.close();
    }
  });

  it('opens VS Code for the desktop in a profile of its own, and serves the samples while the window is open', async () => {
    const programs = join(folder, 'bin');
    const record = join(folder, 'calls.jsonl');
    await mkdir(programs);
    await writeFile(join(programs, 'code'), RECORDING_CODE);
    await chmod(join(programs, 'code'), 0o755);
    const env = { PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}`, CODE_RECORD: record };
    command = startCommand(['--desktop', '--home', home], env);
    await command.prints(/^Choose Diffusion Dock/m);
    expect(await command.ended).toBe(0);
    const [install, open] = (await readFile(record, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const profile = join(home, 'vscode', 'desktop');
    const own = ['--user-data-dir', join(profile, 'user-data'), '--extensions-dir', join(profile, 'extensions')];
    expect(install.args.slice(0, 4)).toEqual(own);
    expect(install.args).toContain('--install-extension');
    expect(open.args.slice(0, 4)).toEqual(own);
    expect(open.args.at(-1)).toBe(join(home, 'workspace'));
    expect(open).toMatchObject({ home, served: 200 });
  });
});

/** A `code` that opens nothing: it records how it is called and whether the samples are served meanwhile. */
const RECORDING_CODE = `#!/usr/bin/env node
const fs = require('node:fs');
const args = process.argv.slice(2);
const manifest = args.at(-1) + '/tiny-sdxs/manifest.json';
async function status() {
  if (!fs.existsSync(manifest)) return null;
  const { files } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
  return (await fetch(files[0].url, { method: 'HEAD' })).status;
}
status().then((served) => {
  const call = { args, served, home: process.env.DIFFUSION_DOCK_HOME };
  fs.appendFileSync(process.env.CODE_RECORD, JSON.stringify(call) + '\\n');
});
`;

interface RunningCommand {
  /** Exit status. */
  readonly ended: Promise<number | null>;
  /** Waits for a line of its output. */
  prints(line: RegExp): Promise<string>;
  /** Ids of the command and of all that it has started. */
  family(): number[];
  /** Ctrl-C in its terminal, which reaches npm, its shell and the script. */
  interrupt(): void;
  /** Makes sure that nothing is left. */
  end(): Promise<void>;
}

function startCommand(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  // A group of its own, as a shell makes one for each command.
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const ended = once(child, 'close').then(([status]) => status as number | null);
  const family = (): number[] => [idOf(child), ...descendantsOf(idOf(child))];
  return {
    ended,
    family,
    async prints(line) {
      const over = ended.then((status) => {
        throw new Error(`the command ended with status ${status}:\n${output}`);
      });
      const found = vi.waitFor(
        () => {
          const [text] = line.exec(output) ?? [];
          if (text === undefined) throw new Error(`the command printed no ${line} but:\n${output}`);
          return text;
        },
        { timeout: START_MS, interval: 100 }
      );
      return Promise.race([found, over]);
    },
    interrupt: () => process.kill(-idOf(child), 'SIGINT'),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const left = family();
      process.kill(-idOf(child), 'SIGINT');
      await vi.waitFor(() => expect(runningAmong(left)).toEqual([]), { timeout: END_MS, interval: 100 });
    }
  };
}

function idOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('npm did not start');
  return child.pid;
}

function runningAmong(pids: readonly number[]): number[] {
  return runningProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => pids.includes(pid));
}
