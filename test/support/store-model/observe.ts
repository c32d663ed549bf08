import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from '../../../server/registry/registry';
import type { CacheLayout } from '../../../server/store/cache-layout';
import {
  type Bundle,
  type Cell,
  CONTENTS,
  DIGESTS,
  emptyWorld,
  filesOf,
  type Health,
  NAMES,
  type Name,
  type World
} from './world';

/**
 * What lies on the disk, every byte of it read; what is remembered of it cannot be seen.
 * @throws Error for a blob of no known content, and for a readable bundle that is of no version
 */
export async function observe(layout: CacheLayout): Promise<World> {
  const world = emptyWorld();
  const cells = new Map<bigint, Cell>();
  for (const { manifest, installed } of await new Registry(layout.registry).read()) {
    const version = Number(manifest.revision);
    world.entries.set(manifest.name as Name, { version, stamped: installed !== undefined });
  }
  for (const folder of await readdir(layout.blobs).catch(() => [])) {
    for (const name of await readdir(join(layout.blobs, folder))) {
      const content = DIGESTS.findIndex((digest) => digest === name);
      if (content < 0) throw new Error(`${name} is no blob of ours`);
      const cell = await cellAt(join(layout.blobs, folder, name), content, cells);
      if (cell) world.blobs.set(content, cell);
    }
  }
  for (const name of await readdir(layout.models).catch(() => [])) {
    if (!NAMES.includes(name as Name)) throw new Error(`${name} is no model of ours`);
    world.bundles.set(name as Name, await bundleAt(join(layout.models, name), name as Name, cells));
  }
  return world;
}

async function bundleAt(folder: string, name: Name, cells: Map<bigint, Cell>): Promise<Bundle> {
  const found = new Set(await readdir(folder));
  const version = await readFile(join(folder, 'manifest.json'), 'utf8').then(versionIn, () => undefined);
  const files = new Map<string, Cell | undefined>();
  if (version === undefined) return { version, files, hasStray: found.has('stray.txt') };
  for (const [path, content] of filesOf(name, version)) {
    files.set(path, await cellAt(join(folder, path), content, cells));
    found.delete(path);
  }
  found.delete('manifest.json');
  const hasStray = found.delete('stray.txt');
  if (found.size > 0) throw new Error(`${name} of version ${version} with ${[...found].join()}`);
  return { version, files, hasStray };
}

function versionIn(text: string): number | undefined {
  try {
    return Number(JSON.parse(text).revision);
  } catch {
    return undefined;
  }
}

async function cellAt(path: string, content: number, cells: Map<bigint, Cell>): Promise<Cell | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (!found) return undefined;
  const cell = cells.get(found.ino) ?? { health: await healthOf(path, content), known: 'perhaps' as const };
  cells.set(found.ino, cell);
  return cell;
}

async function healthOf(path: string, content: number): Promise<Health> {
  const bytes = await readFile(path);
  if (bytes.equals(CONTENTS[content]!)) return 'sound';
  return bytes.length === CONTENTS[content]!.length ? 'flipped' : 'cut';
}
