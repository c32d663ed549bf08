import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildAll } from '../../esbuild.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = ['client', 'server', 'shared'];
const BUNDLES = ['client.js', 'server.js', 'worker.js', 'cli.js', 'commands.js'];

/** Before all tests: builds `dist/` unless it is newer than every source, for tests run what was built. */
export default async function buildOnce(): Promise<void> {
  const builtAt = Math.min(...(await Promise.all(BUNDLES.map((name) => changedAt(join(ROOT, 'dist', name))))));
  const sources = await Promise.all(SOURCES.map((folder) => filesIn(join(ROOT, folder))));
  const changed = await Promise.all([join(ROOT, 'esbuild.mjs'), ...sources.flat()].map(changedAt));
  if (Math.max(...changed) <= builtAt) return;
  await buildAll();
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Milliseconds since the epoch; 0 for a file that does not exist. */
async function changedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
}
