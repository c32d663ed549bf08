import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../../shared/failure';
import { exists, publishFile, renamePatiently, syncFile } from '../../platform/durable-files';
import type { Hasher } from '../../platform/hasher';
import { isErrorWithCode } from '../../platform/system-error';
import type { ContentDigest } from './expected-content';
import { type ChainEnd, type FileOnDisk, LinkFollower } from './follow-links';

/** A content that was brought to this machine, its receiver's to move away. */
export interface NewContent {
  readonly path: string;
  /** SHA-256 of what lies on disk. */
  readonly sha256: string;
  readonly discard: () => Promise<void>;
}

export interface Replacement {
  /** Absolute path of what is to be replaced. */
  readonly target: string;
  readonly digest: ContentDigest;
  /** What was judged corrupt; anything else at the target is proved first. */
  readonly found: ChainEnd;
  /** The repository's `blobs`, where everything temporary lies. */
  readonly blobs: string;
}

export interface ReplacingTools {
  /** The cache, absolute and without links. */
  readonly root: string;
  readonly hasher: Hasher;
  readonly signal: AbortSignal;
  readonly fetch: () => Promise<NewContent>;
}

/**
 * Puts a corrupt content aside, brings the right one, proves it under a temporary name and publishes it by a rename.
 * When that fails, what was put aside is put back. A copy in a snapshot is replaced by that rename alone. No lock is taken: other programs see the old content, none, or
 * the new one, and what they put there themselves is proved and kept.
 * @throws Failure, system errors
 */
export async function replaceContent(replacement: Replacement, tools: ReplacingTools): Promise<void> {
  const { blobs, target, found } = replacement;
  const { end } = await new LinkFollower(tools.root).follow(target);
  if (end.kind === 'file' && !isUnchanged(found, end) && (await isRight(end.path, replacement, tools))) {
    return;
  }
  const isOurs = await provideRealFolder(blobs);
  try {
    await replaceBeside(replacement, end, tools);
  } finally {
    // Where there are only copies the folder is needed for a moment.
    if (isOurs) await rmdir(blobs).catch(() => undefined);
  }
}

async function replaceBeside(replacement: Replacement, end: ChainEnd, tools: ReplacingTools): Promise<void> {
  requireContent(replacement, end);
  const aside = isOnlySign(replacement) ? undefined : await putAside(replacement, end);
  try {
    await bring(replacement, tools);
    if (aside !== undefined) await rm(aside, { force: true });
  } catch (error) {
    if (aside !== undefined) await putBack(aside, replacement.target);
    throw error;
  }
}

function requireContent({ target }: Replacement, end: ChainEnd): void {
  if (end.kind === 'not-a-file') throw inTheWay(target, 'Something that is no file is in the place of the content.');
  if (end.kind === 'outside') throw inTheWay(target, 'A link out of the cache is in the place of the content.');
}

/** Nothing but a copy in a snapshot says that the file belongs there: it stays until the right one takes its place. */
function isOnlySign({ target, blobs }: Replacement): boolean {
  return dirname(target) !== blobs;
}

/** The name that unfinished downloads have, so that every program knows what it is if it stays behind. */
function temporaryName(folder: string, target: string): string {
  return join(folder, `${basename(target)}.${randomBytes(4).toString('hex')}.incomplete`);
}

/** @returns where it lies now, or undefined when there was nothing */
async function putAside({ target, blobs }: Replacement, end: ChainEnd): Promise<string | undefined> {
  const aside = temporaryName(blobs, target);
  try {
    await renamePatiently(target, aside);
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const moved = await lstat(aside, { bigint: true });
  if (end.kind !== 'file' || end.path !== target || end.key === `${moved.dev}:${moved.ino}`) return aside;
  await putBack(aside, target);
  throw inTheWay(target, 'Another program is changing the content.');
}

async function putBack(aside: string, target: string): Promise<void> {
  // What somebody else put there meanwhile is not worse than what was put aside as corrupt.
  if (await exists(target)) await rm(aside, { force: true });
  else await rename(aside, target);
}

async function bring({ target, digest, blobs }: Replacement, tools: ReplacingTools): Promise<void> {
  const content = await tools.fetch();
  const temporary = temporaryName(blobs, target);
  try {
    const wasMoved = await moveOrCopy(content.path, temporary);
    const isProved = wasMoved && digest.algorithm === 'sha256' && content.sha256 === digest.hex;
    if (!isProved && !(await isRight(temporary, { digest }, tools))) {
      throw new Failure('digest-mismatch', 'The hub has another content than the cache is named for.', {
        subject: basename(target),
        nextStep: 'Delete the revision from the cache and download it again.'
      });
    }
    await syncFile(temporary);
    const { end } = await new LinkFollower(tools.root).follow(target);
    if (end.kind === 'file' && (await isRight(end.path, { digest }, tools))) return;
    await publishFile(temporary, target);
  } finally {
    await rm(temporary, { force: true });
    await content.discard();
  }
}

/** @returns whether it was moved, so that the very bytes that were hashed are there */
async function moveOrCopy(from: string, to: string): Promise<boolean> {
  try {
    await renamePatiently(from, to);
    return true;
  } catch (error) {
    if (!isErrorWithCode(error, 'EXDEV')) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    return false;
  }
}

async function isRight(
  path: string,
  { digest }: Pick<Replacement, 'digest'>,
  { hasher, signal }: ReplacingTools
): Promise<boolean> {
  if (digest.algorithm === 'sha256') return (await hasher.hash(path, { signal })).digest === digest.hex;
  return (await hasher.hashForGit(path, { signal })).sha1 === digest.hex;
}

/** Nothing is written through a link. @returns whether the folder was made now */
async function provideRealFolder(folder: string): Promise<boolean> {
  try {
    if ((await lstat(folder)).isDirectory()) return false;
    throw inTheWay(folder, 'There is no folder for the contents of the repository.');
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
    await mkdir(folder);
    return true;
  }
}

function isUnchanged(found: ChainEnd, now: FileOnDisk): boolean {
  if (found.kind !== 'file') return false;
  return found.key === now.key && found.bytes === now.bytes && found.modifiedAt === now.modifiedAt;
}

function inTheWay(subject: string, sentence: string): Failure {
  return new Failure('busy', sentence, { subject, nextStep: 'Verify again.' });
}
