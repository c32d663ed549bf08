import { constants } from 'node:os';
import { Failure, type FailureDetails } from '../../shared/failure';

/** The code of a system error (`ENOENT`, `EEXIST`, …), or undefined for anything else. */
export function errorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') return undefined;
  const number = unnamed(thrown, thrown.code);
  return number === undefined ? thrown.code : (nameOf(number) ?? thrown.code);
}

/** Node has no names for some errors that the system has, a quota that is used up among them. @returns their number */
function unnamed(error: Error, code: string): number | undefined {
  const [, number] = /^Unknown system error -(\d+)$/.exec(code) ?? [];
  if (number !== undefined) return Number(number);
  // Calls that do not wait name it this way.
  return code === 'UNKNOWN' && 'errno' in error && typeof error.errno === 'number' ? -error.errno : undefined;
}

function nameOf(number: number): string | undefined {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0];
}

/** Whether something thrown is a system error with one of these codes. */
export function isErrorWithCode(thrown: unknown, ...codes: readonly string[]): boolean {
  const code = errorCode(thrown);
  return code !== undefined && codes.includes(code);
}

/** What system errors mean for the user, by code. */
const MEANINGS: Readonly<Record<string, { readonly sentence: string; readonly nextStep: string }>> = {
  ENOSPC: { sentence: 'The disk is full.', nextStep: 'Free some space, then try again.' },
  EDQUOT: { sentence: 'Your disk quota is used up.', nextStep: 'Free some space, then try again.' },
  EFBIG: { sentence: 'The file system does not take files of this size.', nextStep: 'Move the cache to another disk.' },
  EACCES: { sentence: 'Access was denied.', nextStep: 'Check the permissions of the folder.' },
  EPERM: { sentence: 'The operation is not permitted.', nextStep: 'Check the permissions of the folder.' },
  EROFS: { sentence: 'The disk is read-only.', nextStep: 'Choose a cache folder on a writable disk.' },
  EMFILE: { sentence: 'Too many files are open.', nextStep: 'Close other programs, then try again.' },
  ENFILE: { sentence: 'Too many files are open.', nextStep: 'Close other programs, then try again.' },
  EXDEV: { sentence: 'The cache lies on more than one disk.', nextStep: 'Move the cache to a folder of one disk.' },
  EIO: { sentence: 'The disk reported a fault.', nextStep: 'Check the disk; the data may be damaged.' },
  EBUSY: { sentence: 'It is in use by another program.', nextStep: 'Close what uses it, then try again.' },
  ENAMETOOLONG: { sentence: 'The name is too long for the file system.', nextStep: 'Choose a shorter name or folder.' },
  EISDIR: { sentence: 'It is a folder, not a file.', nextStep: 'Check the path.' },
  ELOOP: { sentence: 'Its links lead in a circle.', nextStep: 'Check the path.' },
  ENOENT: { sentence: 'The file does not exist.', nextStep: 'Check the path.' },
  ENOTDIR: { sentence: 'A part of the path is not a folder.', nextStep: 'Check the path.' }
};

/**
 * Turns a system error into a failure that names the file; anything that is no system error stays as it is.
 * @param what the sentence's beginning, for example "Writing the manifest failed."
 */
export function fileFailure(thrown: unknown, what: string, path: string): unknown {
  const code = errorCode(thrown);
  if (code === undefined || thrown instanceof Failure) return thrown;
  const meaning = MEANINGS[code];
  const details: FailureDetails = {
    subject: path,
    cause: thrown,
    ...(meaning && { nextStep: meaning.nextStep })
  };
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new Failure(isFull ? 'disk-full' : 'file-access', `${what} ${meaning?.sentence ?? code}`, details);
}
