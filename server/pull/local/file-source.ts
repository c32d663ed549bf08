import { type BigIntStats, constants } from 'node:fs';
import { copyFile, type FileHandle, open, rm, stat } from 'node:fs/promises';
import { cancelled, Failure } from '../../../shared/failure';
import { errorCode, fileFailure } from '../../platform/system-error';
import { type ClonedContent, ContentChanged, type Opening, type OpenRequest, type Source } from '../source';

/** One read. */
const READ_BYTES = 1024 * 1024;

/** Tells one content of a file from another. */
export type FileValidator = (found: BigIntStats) => string;

/**
 * A file on this machine. The copy is hashed like any transfer; the original is only read.
 * @param path absolute path
 * @param validatorOf another one for files that are never written to but only replaced
 */
export function fileSource(path: string, validatorOf: FileValidator = afterEveryWrite): Source {
  return {
    label: path,
    identity: path,
    isLocal: true,
    open: (request) => openFile(path, validatorOf, request),
    async probe() {
      const { size } = await contentOf(path);
      return { bytes: Number(size), isExact: true, digest: null };
    },
    clone: (target) => cloneFile(path, validatorOf, target)
  };
}

async function openFile(
  path: string,
  validatorOf: FileValidator,
  { start, end, validator, signal }: OpenRequest
): Promise<Opening> {
  const content = await contentOf(path);
  const total = Number(content.size);
  const current = validatorOf(content);
  if ((validator !== null && validator !== current) || start > total) throw changed(path);
  return {
    start,
    total,
    // One reader is as fast as the disk.
    servesRanges: false,
    validator: current,
    endsByClosing: false,
    body: readFile(path, { start, end: end ?? total, validator: current, validatorOf, signal })
  };
}

interface Extent {
  readonly start: number;
  readonly end: number;
  readonly validator: string;
  readonly validatorOf: FileValidator;
  readonly signal: AbortSignal;
}

/** Opened when the first byte is asked for, so that a body that nobody reads holds nothing open. */
async function* readFile(path: string, extent: Extent): AsyncIterable<Uint8Array> {
  const { start, end, validator, validatorOf, signal } = extent;
  const file = await openPlainly(path);
  try {
    if (validatorOf(await file.stat({ bigint: true })) !== validator) throw changed(path);
    for (let position = start; position < end; ) {
      if (signal.aborted) throw cancelled('The transfer');
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) throw changed(path);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (validatorOf(await file.stat({ bigint: true })) !== validator) throw changed(path);
  } catch (error) {
    throw unreadable(error, path);
  } finally {
    await file.close();
  }
}

async function openPlainly(path: string): Promise<FileHandle> {
  try {
    // A pipe that took the file's place is opened without waiting for a writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(error, path);
  }
}

async function cloneFile(path: string, validatorOf: FileValidator, target: string): Promise<ClonedContent | undefined> {
  const content = await contentOf(path);
  try {
    await copyFile(path, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    if (validatorOf(await contentOf(path)) === validatorOf(content)) {
      return { total: Number(content.size), validator: validatorOf(content) };
    }
  } catch (error) {
    // Whatever keeps it from being cloned, reading it byte by byte shows whether it can be had at all.
    if (errorCode(error) === undefined) throw error;
  }
  await rm(target, { force: true });
  return undefined;
}

/** @throws Failure unless the path leads to a file */
async function contentOf(path: string): Promise<BigIntStats> {
  try {
    const facts = await stat(path, { bigint: true });
    if (facts.isFile()) return facts;
  } catch (error) {
    throw unreadable(error, path);
  }
  throw new Failure('file-access', 'The source is not a file.', { subject: path });
}

/** Every write changes it, whatever the clock says meanwhile. */
function afterEveryWrite({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `"${[dev, ino, size, mtimeNs, ctimeNs].join('-')}"`;
}

function changed(path: string): ContentChanged {
  const nextStep = 'Wait until no other program writes to it, then try again.';
  return new ContentChanged(
    new Failure('file-access', 'The source file changed meanwhile.', { subject: path, nextStep })
  );
}

function unreadable(error: unknown, path: string): unknown {
  return fileFailure(error, 'The source file cannot be read.', path);
}
