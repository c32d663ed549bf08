import { constants, existsSync, lstatSync, readFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { copyOf, type Disk, describeDisk, diskIn, type Inode, ROOT } from './disk';
import { apply, type DiskStep, type Place } from './disk-steps';
import { type FileCall, withFileTap } from './file-tap';

/** What an action did to a disk. */
export interface DiskRecording {
  /** The disk before, all of it certain to last; what was made later is there, empty, without a path to it. */
  readonly start: Disk;
  readonly steps: readonly DiskStep[];
}

/**
 * Records what an action does to a folder, call by call, in the order in which the calls ended. A call that does
 * several things, such as the removal of a tree, is recorded as all of them, one by one.
 * @throws Error when the recording does not lead to what lies in the folder in the end
 */
export async function recordDisk(root: string, action: () => Promise<unknown>): Promise<DiskRecording> {
  const recorder = new DiskRecorder(root, diskIn(root));
  await withFileTap((call, proceed) => recorder.record(call, proceed), action);
  const [expected, found] = [describeDisk(recorder.disk), describeDisk(diskIn(root))];
  const differences = [
    ...expected.filter((line) => !found.includes(line)),
    ...found.filter((line) => !expected.includes(line))
  ];
  if (differences.length > 0) throw new Error(`the recording missed something: ${differences.join('\n')}`);
  const { start, steps } = recorder;
  return { start, steps };
}

/** Notes what a call did, after it was done. */
type Note = (result: unknown) => void;

class DiskRecorder {
  readonly steps: DiskStep[] = [];
  readonly disk: Disk;
  private nextInode: Inode;
  private readonly opened = new WeakMap<object, Inode>();

  constructor(
    private readonly root: string,
    readonly start: Disk
  ) {
    this.disk = copyOf(start);
    this.nextInode = start.folders.size + start.files.size + start.links.size;
  }

  async record(call: FileCall, proceed: () => Promise<unknown>): Promise<unknown> {
    const note = this.noteFor(call);
    const result = await proceed();
    note?.(result);
    return result;
  }

  /** Looks at what is there before the call. @returns nothing for calls that change nothing here */
  private noteFor({ name, args, file }: FileCall): Note | undefined {
    if (file) return this.noteForFile(name, file);
    const [first, second] = args;
    const path = this.within(first);
    const other = this.within(second);
    switch (name) {
      case 'mkdir':
        return path && (() => this.enterFolders(path));
      case 'open':
        return path && ((handle) => this.noteOpened(path, second, handle as FileHandle));
      case 'writeFile':
      case 'appendFile':
        return path && (() => this.noteContent(path, String(first)));
      case 'copyFile':
        return other && (() => this.noteContent(other, String(second)));
      case 'link':
        return path && other && (() => this.enter(other, this.at(path)));
      case 'symlink':
        return other && (() => this.enterLink(other, String(first)));
      case 'rename':
        return path && other && (() => this.move(path, other));
      case 'rm':
      case 'rmdir':
      case 'unlink':
        return path && (() => this.leave(path));
      case 'chmod':
        return path && (() => this.push({ kind: 'mode', inode: this.at(path), mode: Number(second) & 0o777 }));
      case 'utimes':
        return undefined;
      default:
        throw new Error(`nobody says what ${name} does to ${String(first)}`);
    }
  }

  private noteForFile(name: string, file: FileHandle): Note | undefined {
    const inode = this.opened.get(file);
    if (inode === undefined) return undefined;
    const upTo = this.steps.length;
    if (name === 'sync' || name === 'datasync') return () => this.push({ kind: 'sync', inode, upTo });
    return () => this.write(inode, readFileSync(`/proc/self/fd/${file.fd}`));
  }

  /** The parts of a path below the root; undefined for one that lies elsewhere. */
  private within(path: unknown): readonly string[] | undefined {
    if (typeof path !== 'string') return undefined;
    const below = relative(this.root, path);
    if (below === '') return [];
    return below === '..' || below.startsWith(`..${sep}`) ? undefined : below.split(sep);
  }

  private find(path: readonly string[]): Inode | undefined {
    let inode: Inode | undefined = ROOT;
    for (const name of path) inode = inode === undefined ? undefined : this.disk.folders.get(inode)?.get(name);
    return inode;
  }

  private at(path: readonly string[]): Inode {
    return this.find(path) ?? fail(`${path.join('/')} was not seen to be made`);
  }

  private place(path: readonly string[]): Place {
    return { folder: this.at(path.slice(0, -1)), name: path.at(-1) ?? fail('the root has no name') };
  }

  private push(step: DiskStep): void {
    this.steps.push(step);
    apply(this.disk, step);
  }

  private enter(path: readonly string[], inode: Inode): void {
    this.push({ kind: 'enter', ...this.place(path), inode });
  }

  private enterFolders(path: readonly string[]): void {
    for (let depth = 1; depth <= path.length; depth += 1) {
      const folder = path.slice(0, depth);
      if (this.find(folder) !== undefined) continue;
      this.enter(
        folder,
        this.newNode((disk, inode) => disk.folders.set(inode, new Map()))
      );
    }
  }

  private noteOpened(path: readonly string[], flags: unknown, handle: FileHandle): void {
    if (this.find(path) === undefined) this.enterFile(path, join(this.root, ...path));
    const inode = this.at(path);
    this.opened.set(handle, inode);
    if (isTruncating(flags) && this.disk.files.get(inode)?.length !== 0) this.write(inode, Buffer.alloc(0));
  }

  private noteContent(path: readonly string[], real: string): void {
    if (this.find(path) === undefined) this.enterFile(path, real);
    this.write(this.at(path), readFileSync(real));
  }

  /** A file that was not there before is empty at first. */
  private enterFile(path: readonly string[], real: string): void {
    if (!existsSync(real)) fail(`${real} was not seen to go`);
    const mode = lstatSync(real).mode & 0o777;
    const inode = this.newNode((disk, made) => {
      disk.files.set(made, Buffer.alloc(0));
      disk.modes.set(made, mode);
    });
    this.enter(path, inode);
  }

  private enterLink(path: readonly string[], target: string): void {
    this.enter(
      path,
      this.newNode((disk, inode) => disk.links.set(inode, target))
    );
  }

  private newNode(make: (disk: Disk, inode: Inode) => void): Inode {
    const inode = this.nextInode;
    this.nextInode += 1;
    for (const disk of [this.start, this.disk]) make(disk, inode);
    return inode;
  }

  private write(inode: Inode, bytes: Buffer): void {
    this.push({ kind: 'write', inode, bytes });
  }

  private move(from: readonly string[], to: readonly string[]): void {
    this.push({ kind: 'move', from: this.place(from), to: this.place(to), inode: this.at(from) });
  }

  /** Children go before their folder. */
  private leave(path: readonly string[]): void {
    const inode = this.find(path);
    if (inode === undefined) return;
    for (const name of this.disk.folders.get(inode)?.keys() ?? []) this.leave([...path, name]);
    this.push({ kind: 'leave', ...this.place(path), inode });
  }
}

function isTruncating(flags: unknown): boolean {
  return typeof flags === 'number' ? (flags & constants.O_TRUNC) !== 0 : String(flags).startsWith('w');
}

function fail(text: string): never {
  throw new Error(text);
}
