import { chmod, type FileHandle, link, lstat } from 'node:fs/promises';
import { cancelled } from '../../../shared/failure';
import { syncFile, withFile } from '../../platform/durable-files';
import { NO_HARD_LINKS } from '../../platform/exclusive-files';
import type { Hasher } from '../../platform/hasher';
import { isErrorWithCode } from '../../platform/system-error';
import { fileSource } from '../../pull/local/file-source';
import { ContentChanged } from '../../pull/source';
import { fileDiffers } from '../object-failures';
import type { ObjectContent, ObjectFacts, PutOptions } from '../object-store';
import { versionOf } from './plain-file';

/** Others of a team may read what is stored, whatever the mode of the file that it was cloned from. */
const OBJECT_MODE = 0o644;

/**
 * Writes a content to a new file and makes it survive a power cut. What comes from a file is hashed as it lies there.
 * @throws Failure when a file is not what it is said to be, or when cancelled; system errors
 */
export async function writeContent(
  content: ObjectContent,
  target: string,
  options: PutOptions & { readonly hasher: Hasher }
): Promise<ObjectFacts> {
  const { signal, onBytes = () => undefined, hasher } = options;
  if (content.kind === 'bytes') {
    await withFile(target, 'wx', (file) => file.writeFile(content.bytes).then(() => file.sync()));
    onBytes(content.bytes.length);
  } else {
    await copyContent(content.path, target, { signal, onBytes });
    const { digest, bytes } = await hasher.hash(target, { signal });
    if (digest !== content.digest || bytes !== content.bytes) throw fileDiffers(content.path);
  }
  if (signal.aborted) throw cancelled('The work in the store');
  const found = await lstat(target, { bigint: true });
  return { bytes: Number(found.size), version: versionOf(found) };
}

/**
 * Gives a stored file a second name, which costs nothing, for neither is ever written to; where the volume has no links
 * its content is copied.
 * @returns false when it is gone
 * @throws Failure('cancelled'), system errors
 */
export async function linkOrCopy(path: string, target: string, signal: AbortSignal): Promise<boolean> {
  try {
    await link(path, target);
    return true;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    if (!isErrorWithCode(error, ...NO_HARD_LINKS)) throw error;
  }
  await copyContent(path, target, { signal, onBytes: () => undefined });
  return true;
}

/** Copies by shared blocks where the file system can. @throws Failure when the file changes meanwhile, or when cancelled */
async function copyContent(path: string, target: string, { signal, onBytes }: Required<PutOptions>): Promise<void> {
  // Other names that the file gets meanwhile are no change of its content.
  const source = fileSource(path, versionOf);
  try {
    const clone = await source.clone?.(target);
    if (clone === undefined) {
      const { body } = await source.open({ start: 0, end: null, validator: null, signal });
      await withFile(target, 'wx', (file) => writeAll(file, body, onBytes));
    } else {
      await chmod(target, OBJECT_MODE);
      onBytes(clone.total);
    }
    await syncFile(target);
  } catch (error) {
    if (error instanceof ContentChanged) throw fileDiffers(path);
    throw error;
  }
}

async function writeAll(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  onBytes: (sent: number) => void
): Promise<void> {
  let written = 0;
  for await (const chunk of body) {
    await file.writeFile(chunk);
    written += chunk.length;
    onBytes(written);
  }
}
