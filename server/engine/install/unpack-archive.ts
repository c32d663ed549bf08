import { constants, copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { byteText } from '../../../shared/byte-text';
import { cancelled, Failure, messageOf } from '../../../shared/failure';
import { syncDirectory, syncFile, withFile } from '../../platform/durable-files';
import { errorCode } from '../../platform/system-error';
import { type FreeBytes, lacksRoom } from '../../pull/disk-room';
import { ARCHIVE_LIMITS, type ArchiveLimits, type ArchivePlan, ArchivePlanner, type PlannedLink } from './archive-plan';

export interface UnpackRequest {
  /** Absolute path of the archive. */
  readonly archive: string;
  /** What users know it by. */
  readonly name: string;
  /** An empty folder, or one where none of the archive's files lie. */
  readonly folder: string;
  readonly freeBytes: FreeBytes;
  readonly signal: AbortSignal;
  readonly limits?: ArchiveLimits;
}

/** A file that was unpacked. */
export interface UnpackedFile {
  /** Relative to the folder, with `/` between names. */
  readonly path: string;
}

/**
 * Unpacks a zip archive so that it survives a power cut. Everything in it is judged before anything is written: names,
 * kinds, sizes. No link is ever made: one to a file of the archive becomes a copy, any other refuses the archive.
 * @throws Failure 'bad-archive', 'disk-full', 'cancelled'; system errors
 */
export async function unpackArchive(request: UnpackRequest): Promise<readonly UnpackedFile[]> {
  const { archive, name, folder, freeBytes, signal, limits = ARCHIVE_LIMITS } = request;
  const { size } = await stat(archive);
  const planner = new ArchivePlanner(name, size, limits);
  await requireZip(archive, planner);
  // Loaded when it is needed: hardly anybody installs an engine, and never twice in a process.
  const { openPromise } = await import('yauzl');
  try {
    const zip = await openPromise(archive, { autoClose: false });
    try {
      const plan = await planOf(zip, planner, limits);
      await requireRoom(plan, folder, freeBytes);
      return await new Unpacking(zip, plan, planner, { folder, signal }).run();
    } finally {
      zip.close();
    }
  } catch (error) {
    // Whatever yauzl and zlib say of damage is no system error.
    if (error instanceof Failure || (errorCode(error) !== undefined && !isDamage(error))) throw error;
    const reason = messageOf(error);
    const isUnsafe = /^(?:absolute path|invalid relative path|invalid characters in fileName)/.test(reason);
    throw planner.bad(isUnsafe ? `names a file outside of its folder (${reason})` : `is damaged: ${reason}`, error);
  }
}

function isDamage(error: unknown): boolean {
  return errorCode(error)?.startsWith('Z_') === true;
}

const LOCAL_HEADER = 0x504b0304;

async function requireZip(archive: string, planner: ArchivePlanner): Promise<void> {
  const head = await withFile(archive, 'r', async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead);
  });
  if (head.length >= 4 && head.readUInt32BE(0) === LOCAL_HEADER) return;
  const isPage = /^\s*<(?:!doctype|html|\?xml)/i.test(head.toString('latin1'));
  throw planner.bad(isPage ? 'is a web page and no archive' : 'is no zip archive');
}

async function planOf(zip: ZipFile, planner: ArchivePlanner, limits: ArchiveLimits): Promise<ArchivePlan> {
  // Folders have entries of their own.
  if (zip.entryCount > 2 * limits.entries) throw planner.bad(`holds more than ${limits.entries} files`);
  for await (const entry of zip.eachEntry()) planner.add(entry);
  return planner.plan();
}

async function requireRoom({ totalBytes }: ArchivePlan, folder: string, freeBytes: FreeBytes): Promise<void> {
  const free = await freeBytes(folder);
  if (free === undefined || !lacksRoom(totalBytes, free)) return;
  throw new Failure(
    'disk-full',
    `The engine needs ${byteText(totalBytes)} and 1 GiB to spare; ${byteText(free)} are free.`,
    {
      subject: folder,
      nextStep: 'Free some space, or move the cache to another disk.'
    }
  );
}

/** One archive being written out. */
class Unpacking {
  private readonly folders = new Set<string>();

  constructor(
    private readonly zip: ZipFile,
    private readonly plan: ArchivePlan,
    private readonly planner: ArchivePlanner,
    private readonly options: Pick<UnpackRequest, 'folder' | 'signal'>
  ) {}

  async run(): Promise<readonly UnpackedFile[]> {
    const { files, links } = this.plan;
    for (const { path, entry, isExecutable } of files) {
      await this.makeFolder(path);
      await this.write(path, entry, isExecutable ? 0o755 : 0o644);
    }
    await this.writeLinks(links);
    for (const folder of [...this.folders, this.options.folder]) await syncDirectory(folder);
    return [...files, ...links].map(({ path }) => ({ path }));
  }

  private async makeFolder(path: string): Promise<void> {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      this.folders.add(this.place(folder));
    }
    await mkdir(dirname(this.place(path)), { recursive: true });
  }

  private async write(path: string, entry: Entry, mode: number): Promise<void> {
    let [sum, bytes] = [0, 0];
    await withFile(this.place(path), 'wx', async (file) => {
      for await (const chunk of this.contentOf(entry)) {
        if (this.options.signal.aborted) throw cancelled('The installation');
        sum = crc32(chunk, sum);
        bytes += chunk.length;
        await file.writeFile(chunk);
      }
      await file.chmod(mode);
      await file.sync();
    });
    // The library counts bytes, but not their checksum.
    if (bytes !== entry.uncompressedSize || sum !== entry.crc32) throw this.planner.bad(`holds ${path} damaged`);
  }

  private async *contentOf(entry: Entry): AsyncIterable<Buffer> {
    for await (const chunk of await this.zip.openReadStreamPromise(entry)) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  }

  /** ROCm builds name their libraries by links, as `libggml.so` for `libggml.so.0`. */
  private async writeLinks(links: readonly PlannedLink[]): Promise<void> {
    const next = new Map<string, string>();
    for (const { path, entry } of links) next.set(path, await this.targetOf(path, entry));
    const sizes = new Map(this.plan.files.map(({ path, entry }) => [path, entry.uncompressedSize]));
    const copies = links.map(({ path }) => {
      const target = this.fileBehind(path, next, sizes);
      this.planner.countBytes(sizes.get(target) ?? 0);
      return { path, target };
    });
    for (const { path, target } of copies) {
      await this.makeFolder(path);
      await copyFile(this.place(target), this.place(path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await syncFile(this.place(path));
    }
  }

  private fileBehind(link: string, next: ReadonlyMap<string, string>, files: ReadonlyMap<string, number>): string {
    let target = link;
    for (let hops = 0; !files.has(target); hops += 1) {
      const following = hops > next.size ? undefined : next.get(target);
      if (following === undefined) throw this.planner.bad(`holds a link ${link} that leads to none of its files`);
      target = following;
    }
    return target;
  }

  /** The path within the archive that a link leads to. */
  private async targetOf(path: string, entry: Entry): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.contentOf(entry)) chunks.push(chunk);
    const target = Buffer.concat(chunks).toString('utf8');
    return target.startsWith('/') ? target : posix.join(posix.dirname(path), target);
  }

  private place(path: string): string {
    return join(this.options.folder, ...path.split('/'));
  }
}
