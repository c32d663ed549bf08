import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

/** Bundles a TypeScript script of `test/support` for a process of its own. @returns the bundle's path */
export async function bundleScript(source: string, folder: string): Promise<string> {
  const outfile = join(folder, `${source.replaceAll('/', '-').replace(/\.ts$/, '')}.js`);
  const entryPoints = [join(import.meta.dirname, source)];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] });
  return outfile;
}

/** How a process ended. */
export interface ScriptEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node process that tells how far it is by printing lines. It is killed when the test ends. */
export class ScriptProcess {
  /** What it has printed so far. */
  readonly lines: string[] = [];
  /** Settles when it is gone and all its lines are read. */
  readonly ended: Promise<ScriptEnd>;
  private readonly child: ChildProcess;
  private onLine: () => void = () => undefined;

  constructor(script: string, args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
    this.child = child;
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => {
      this.lines.push(line);
      this.onLine();
    });
    this.ended = Promise.all([once(child, 'close'), once(reader, 'close')]).then(() => {
      this.onLine();
      return { code: child.exitCode, signal: child.signalCode };
    });
    onTestFinished(async () => void (await this.kill()));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when it has printed so many lines, or is gone. */
  async untilLines(count: number): Promise<void> {
    while (this.lines.length < count && this.child.exitCode === null && this.child.signalCode === null) {
      await new Promise<void>((resolve) => {
        this.onLine = resolve;
      });
    }
  }

  /** Ends it at once, in the middle of whatever it does. */
  async kill(): Promise<ScriptEnd> {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}
