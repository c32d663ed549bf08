import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { join } from 'node:path';

/** Names a file, a folder or a symbolic link of a disk, whatever paths lead to it. */
export type Inode = number;

/** A disk as it is at one moment: what no path leads to is there as well. */
export interface Disk {
  /** What each folder lists. */
  readonly folders: Map<Inode, Map<string, Inode>>;
  readonly files: Map<Inode, Buffer>;
  readonly modes: Map<Inode, number>;
  /** The targets of symbolic links. */
  readonly links: Map<Inode, string>;
}

/** The same disk, apart. */
export function copyOf({ folders, files, modes, links }: Disk): Disk {
  const own = [...folders].map(([inode, entries]) => [inode, new Map(entries)] as const);
  return { folders: new Map(own), files: new Map(files), modes: new Map(modes), links: new Map(links) };
}

/** The folder that a disk begins with. */
export const ROOT: Inode = 0;

/** Reads a folder as a disk. */
export function diskIn(root: string): Disk {
  const disk: Disk = { folders: new Map(), files: new Map(), modes: new Map(), links: new Map() };
  const known = new Map<bigint, Inode>();
  const take = (path: string): Inode => {
    const found = lstatSync(path, { bigint: true });
    const inode = known.get(found.ino) ?? known.size;
    if (known.has(found.ino)) return inode;
    known.set(found.ino, inode);
    if (found.isSymbolicLink()) {
      disk.links.set(inode, readlinkSync(path));
    } else if (found.isDirectory()) {
      const entries = new Map<string, Inode>();
      disk.folders.set(inode, entries);
      for (const name of readdirSync(path).toSorted()) entries.set(name, take(join(path, name)));
    } else {
      disk.files.set(inode, readFileSync(path));
      disk.modes.set(inode, Number(found.mode) & 0o777);
    }
    return inode;
  };
  take(root);
  return disk;
}

/** Makes a folder what a disk is; what lay there before is gone. */
export function putOnDisk(disk: Disk, root: string): void {
  rmSync(root, { recursive: true, force: true });
  const made = new Map<Inode, string>();
  const put = (inode: Inode, path: string): void => {
    const entries = disk.folders.get(inode);
    const link = disk.links.get(inode);
    const other = made.get(inode);
    if (entries) {
      mkdirSync(path);
      for (const [name, child] of entries) put(child, join(path, name));
    } else if (link !== undefined) {
      symlinkSync(link, path);
    } else if (other !== undefined) {
      linkSync(other, path);
    } else {
      writeFileSync(path, contentOf(disk, inode));
      chmodSync(path, disk.modes.get(inode) ?? 0o644);
      made.set(inode, path);
    }
  };
  put(ROOT, root);
}

/** What a disk holds, a line for every path, sorted: equal for disks that nobody could tell apart. */
export function describeDisk(disk: Disk): string[] {
  const lines: string[] = [];
  const first = new Map<Inode, string>();
  const describe = (inode: Inode, path: string): void => {
    const entries = disk.folders.get(inode);
    const link = disk.links.get(inode);
    if (entries) {
      lines.push(`${path}/`);
      for (const name of [...entries.keys()].toSorted()) describe(entries.get(name) ?? ROOT, `${path}/${name}`);
    } else if (link !== undefined) {
      lines.push(`${path} -> ${link}`);
    } else if (first.has(inode)) {
      lines.push(`${path} = ${first.get(inode)}`);
    } else {
      first.set(inode, path);
      const mode = (disk.modes.get(inode) ?? 0).toString(8);
      lines.push(`${path} ${mode} ${textOf(contentOf(disk, inode))}`);
    }
  };
  describe(ROOT, '');
  return lines;
}

/** Texts of contents: thousands of disks have the same ones, which nobody changes. */
const texts = new WeakMap<Buffer, string>();

function textOf(content: Buffer): string {
  const known = texts.get(content);
  if (known !== undefined) return known;
  const text = content.toString('base64');
  texts.set(content, text);
  return text;
}

function contentOf({ files }: Disk, inode: Inode): Buffer {
  const bytes = files.get(inode);
  if (!bytes) throw new Error(`${inode} is no file`);
  return bytes;
}
