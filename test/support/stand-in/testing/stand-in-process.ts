import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The executable stand-in. */
export const STAND_IN = fileURLToPath(new URL('../sd-cli.mjs', import.meta.url));

/** How a run of the stand-in ended and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started stand-in; `stdout` is what it has written so far. */
interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout holds `text`; rejects when the program ends before. */
  readonly shows: (text: string) => Promise<void>;
}

/** Starts the stand-in in `folder`; without waiting times, unless `environment` says otherwise. */
export function startStandIn(argv: readonly string[], folder: string, environment: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(STAND_IN, argv, {
    cwd: folder,
    env: { PATH: process.env['PATH'], SD_CLI_STAND_IN_SPEED: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  const ended = once(child, 'close').then(
    ([code, signal]: unknown[]): Ended => ({ code: code as number | null, signal: signal as string | null, ...written })
  );
  const shows = async (text: string): Promise<void> => {
    while (!written.stdout.includes(text)) {
      const more = once(child.stdout, 'data').then(() => true);
      const open = await Promise.race([more, ended.then(() => false)]);
      if (!open && !written.stdout.includes(text)) throw new Error(`ended without showing ${text}: ${written.stderr}`);
    }
  };
  return { child, ended, shows };
}

/** Runs the stand-in to its end. */
export function runStandIn(argv: readonly string[], folder: string, environment?: NodeJS.ProcessEnv): Promise<Ended> {
  return startStandIn(argv, folder, environment).ended;
}

/** Digests of the files below `folder` by path, without following the link to the models. */
export function filesBelow(folder: string, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(folder, prefix))) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    if (path === 'models') continue;
    if (statSync(join(folder, path)).isDirectory()) {
      for (const [inner, digest] of filesBelow(folder, path)) found.set(inner, digest);
    } else {
      found.set(
        path,
        createHash('sha256')
          .update(readFileSync(join(folder, path)))
          .digest('hex')
      );
    }
  }
  return found;
}
