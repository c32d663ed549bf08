import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeProcess } from '../../../server/platform/process-identity';

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
}

/** Makes an executable Node script; its body sees `process` and CommonJS `require`. */
export async function script(folder: string, name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!${process.execPath}\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Resolves when a process is gone or only waits to be reaped; the test's own time limit is the only one. */
export async function untilGone(pid: number): Promise<void> {
  while (await describeProcess(pid)) await delay(5);
}

/** Resolves when a file has content, with that content. */
export async function untilWritten(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return text;
    await delay(5);
  }
}
