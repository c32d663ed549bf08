import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, realpath, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { Failure } from '../../../shared/failure';
import { publishFile } from '../../platform/durable-files';
import { isErrorWithCode } from '../../platform/system-error';
import { LinkFollower } from './follow-links';

/**
 * Makes a pointer in a snapshot lead to a content, as the hub's tools do: by a relative link, or by a copy where links
 * are not allowed. A pointer that leads there already stays as it is.
 * @param root the cache, absolute and without links
 * @throws Failure, system errors
 */
export async function leadPointer(root: string, pointer: string, content: string): Promise<void> {
  const { end } = await new LinkFollower(root).follow(pointer);
  if (end.kind === 'file' && end.path === content) return;
  const folder = dirname(pointer);
  if ((await realpath(folder)) !== folder) {
    throw new Failure('busy', 'The folder of the file was replaced by a link.', { subject: folder });
  }
  const temporary = join(dirname(content), `${basename(content)}.${randomBytes(4).toString('hex')}.incomplete`);
  try {
    await symlink(relative(folder, content), temporary);
  } catch (error) {
    if (!isErrorWithCode(error, 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    await copyFile(content, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
  try {
    await publishFile(temporary, pointer);
  } finally {
    await rm(temporary, { force: true });
  }
}
