import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { historyFiles, type Sight } from './history';

/**
 * Reads a bundle as one that is in use is read: the folder is held open, so that its files are looked for in the very
 * folder whose manifest was read, wherever that is moved meanwhile. A manifest that is there before and after promises
 * that all files are there and exact. Linux only.
 */
export async function readWhole(folder: string): Promise<Sight> {
  const opened = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
  if (!opened) return 'none';
  try {
    const inside = `/proc/self/fd/${opened.fd}`;
    const version = await versionOf(inside);
    if (version === undefined) return 'going';
    const problem = await problemOf(inside, basename(folder), version);
    if (problem === undefined) return version;
    return (await versionOf(inside)) === undefined ? 'going' : `partial: version ${version}, ${problem}`;
  } finally {
    await opened.close();
  }
}

async function versionOf(folder: string): Promise<number | undefined> {
  const text = await readFile(`${folder}/manifest.json`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest: { revision: string } = JSON.parse(text);
  return Number(manifest.revision);
}

async function problemOf(folder: string, model: string, version: number): Promise<string | undefined> {
  for (const [name, bytes] of historyFiles(model, version)) {
    const found = await readFile(`${folder}/${name}`).catch(() => undefined);
    if (!found) return `${name} is missing`;
    if (!found.equals(bytes)) return `${name} is wrong`;
  }
  return undefined;
}
