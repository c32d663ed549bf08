import { posix } from 'node:path';
import type { Entry } from 'yauzl';
import { Failure } from '../../../shared/failure';
import { bundlePathProblem, collisionKey } from '../../../shared/file-name';
import { isFolderLitter } from '../../platform/folder-litter';

/** How much an archive may hold. Sizes in bytes. */
export interface ArchiveLimits {
  readonly entries: number;
  readonly totalBytes: number;
  /** Unpacked bytes for each byte of the archive. Libraries shrink to a third; deflate makes at most 1:1032. */
  readonly ratio: number;
}

/** The largest build known, ROCm for Windows, has less than 3 GB in 400 files. */
export const ARCHIVE_LIMITS: ArchiveLimits = { entries: 5000, totalBytes: 8 * 1024 ** 3, ratio: 100 };

/** What an archive of any size may unpack to whatever the ratio says, in bytes. */
const SMALL_BYTES = 1024 * 1024;

/** A file of an archive that is to be written. */
export interface PlannedEntry {
  /** Safe, relative, with `/` between names. */
  readonly path: string;
  readonly entry: Entry;
  readonly isExecutable: boolean;
}

/** A link of an archive: instead of it a copy is made of what it leads to. */
export interface PlannedLink {
  readonly path: string;
  readonly entry: Entry;
}

export interface ArchivePlan {
  readonly files: readonly PlannedEntry[];
  readonly links: readonly PlannedLink[];
  readonly totalBytes: number;
}

/** The bits of a Unix mode that tell what kind of file it is. */
const KIND_BITS = 0o170000;
const KINDS: ReadonlyMap<number, 'file' | 'folder' | 'link'> = new Map([
  [0, 'file'],
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link']
]);

/** A link's target is a name; a longer content is none. */
const LONGEST_TARGET_BYTES = 4096;

/** Collects the entries of an archive and refuses it before anything is written. */
export class ArchivePlanner {
  private readonly files: PlannedEntry[] = [];
  private readonly links: PlannedLink[] = [];
  /** By collision key. Files may not be each other's folders either. */
  private readonly taken = new Set<string>();
  private readonly folders = new Set<string>();
  private totalBytes = 0;

  /** @param archiveBytes size of the archive itself */
  constructor(
    private readonly archive: string,
    private readonly archiveBytes: number,
    private readonly limits: ArchiveLimits
  ) {}

  /** @throws Failure('bad-archive') */
  add(entry: Entry): void {
    const path = entry.fileName.replace(/\/$/, '');
    if (isFolderLitter(path) || path.startsWith('__MACOSX')) return;
    const problem = bundlePathProblem(path);
    if (problem) throw this.bad(`names a file ${JSON.stringify(path)}, which ${problem.reason}`);
    const kind = entry.fileName.endsWith('/') ? 'folder' : KINDS.get((entry.externalFileAttributes >>> 16) & KIND_BITS);
    if (kind === undefined) throw this.bad(`holds ${path}, which is neither a file nor a folder`);
    if (kind === 'folder') return;
    this.take(path);
    this.count(entry, path);
    if (kind === 'link') this.links.push(this.link(path, entry));
    else this.files.push({ path, entry, isExecutable: ((entry.externalFileAttributes >>> 16) & 0o111) !== 0 });
  }

  /** @throws Failure('bad-archive') when there is nothing in it */
  plan(): ArchivePlan {
    if (this.files.length === 0) throw this.bad('holds no files');
    return { files: this.files, links: this.links, totalBytes: this.totalBytes };
  }

  /** Counts what is about to be written, copies for links too. @throws Failure('bad-archive') when it is too much */
  countBytes(bytes: number): void {
    this.totalBytes += bytes;
    if (this.totalBytes > this.limits.totalBytes) throw this.bad('unpacks to more than any engine has');
    if (this.totalBytes > Math.max(SMALL_BYTES, this.archiveBytes * this.limits.ratio)) {
      throw this.bad('unpacks to far more than its size allows');
    }
  }

  /** The failure of this archive. @param predicate completes a sentence that begins with it */
  bad(predicate: string, cause?: unknown): Failure {
    return new Failure('bad-archive', `${this.archive} ${predicate}.`, {
      subject: this.archive,
      nextStep: 'Choose another release; nothing was installed.',
      cause
    });
  }

  private take(path: string): void {
    const key = collisionKey(path);
    const parents = foldersAbove(key);
    if (this.taken.has(key) || this.folders.has(key)) throw this.bad(`holds two files ${path}`);
    const shared = parents.find((parent) => this.taken.has(parent));
    if (shared !== undefined) throw this.bad(`holds ${path} below a file`);
    this.taken.add(key);
    for (const parent of parents) this.folders.add(parent);
  }

  private count(entry: Entry, path: string): void {
    if (entry.isEncrypted()) throw this.bad(`holds ${path}, which is encrypted`);
    if (!entry.canDecodeFileData()) throw this.bad(`holds ${path}, which is compressed in an unknown way`);
    if (this.taken.size > this.limits.entries) throw this.bad(`holds more than ${this.limits.entries} files`);
    this.countBytes(entry.uncompressedSize);
  }

  private link(path: string, entry: Entry): PlannedLink {
    if (entry.uncompressedSize <= LONGEST_TARGET_BYTES) return { path, entry };
    throw this.bad(`holds a link ${path} with a target that is none`);
  }
}

function foldersAbove(path: string): string[] {
  const above: string[] = [];
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) above.push(folder);
  return above;
}
