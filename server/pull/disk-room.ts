import { byteText } from '../../shared/byte-text';
import { Failure } from '../../shared/failure';

/** Tells how many bytes are free on the disk that holds a path; undefined when the platform does not tell. */
export type FreeBytes = (path: string) => Promise<number | undefined>;

/** Room that is left free on the disk, in bytes. */
const CUSHION_BYTES = 1024 ** 3;

/** Whether so many more bytes are known not to leave room to spare. */
export function lacksRoom(neededBytes: number, freeBytes: number | undefined): boolean {
  return freeBytes !== undefined && freeBytes < neededBytes + CUSHION_BYTES;
}

/** @throws Failure('disk-full') when so many more bytes would not leave room to spare */
export function requireRoom(neededBytes: number, freeBytes: number | undefined, folder: string): void {
  if (freeBytes === undefined || !lacksRoom(neededBytes, freeBytes)) return;
  const needs = neededBytes > 0 ? `needs ${byteText(neededBytes)} and 1 GiB to spare` : 'leaves 1 GiB to spare';
  throw new Failure('disk-full', `The pull ${needs}; ${byteText(freeBytes)} are free.`, {
    subject: folder,
    nextStep: 'Free some space, or move the cache to another disk.'
  });
}
