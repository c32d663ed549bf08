import { chmod, lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../sample-bytes';

/** Changes one byte of a file and keeps its size. */
export async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

/** What every entry below a folder is, by path: its inode, and its content or where it leads. */
export async function everythingIn(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).toSorted()) {
    const path = join(folder, name);
    const entry = await lstat(path);
    const content = entry.isSymbolicLink()
      ? `-> ${await readlink(path)}`
      : entry.isFile()
        ? sha256(await readFile(path))
        : 'folder';
    found[name] = `${entry.ino} ${content}`;
  }
  return found;
}
