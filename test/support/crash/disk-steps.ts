import type { Disk, Inode } from './disk';

/** One entry of a folder. */
export interface Place {
  readonly folder: Inode;
  readonly name: string;
}

/** One thing that happened to a disk, or was made to last. */
export type DiskStep =
  | ({ readonly kind: 'enter' | 'leave'; readonly inode: Inode } & Place)
  | { readonly kind: 'move'; readonly from: Place; readonly to: Place; readonly inode: Inode }
  /** `bytes`: all that the file holds afterwards. */
  | { readonly kind: 'write'; readonly inode: Inode; readonly bytes: Buffer }
  | { readonly kind: 'mode'; readonly inode: Inode; readonly mode: number }
  /** What happened to a file or in a folder before the step of this number lasts from now on. */
  | { readonly kind: 'sync'; readonly inode: Inode; readonly upTo: number };

/** Does a step. Where something else has a name, it loses it; what is not where it was is not removed. */
export function apply(disk: Disk, step: DiskStep): void {
  switch (step.kind) {
    case 'enter':
      return enter(disk, step, step.inode);
    case 'leave':
      return leave(disk, step, step.inode);
    case 'move':
      leave(disk, step.from, step.inode);
      return enter(disk, step.to, step.inode);
    case 'write':
      disk.files.set(step.inode, step.bytes);
      return;
    case 'mode':
      disk.modes.set(step.inode, step.mode);
      return;
    case 'sync':
      return;
  }
}

function enter({ folders }: Disk, { folder, name }: Place, inode: Inode): void {
  folders.get(folder)?.set(name, inode);
}

function leave({ folders }: Disk, { folder, name }: Place, inode: Inode): void {
  const entries = folders.get(folder);
  if (entries?.get(name) === inode) entries.delete(name);
}
