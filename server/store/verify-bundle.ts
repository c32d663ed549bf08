import { join } from 'node:path';
import type { FileVerdict } from '../../shared/model';
import type { Hasher } from '../platform/hasher';
import { isErrorWithCode } from '../platform/system-error';
import type { BundleFileState, BundleState } from './bundle-state';

/** What reading every byte of a bundle showed. */
export interface DeepVerification {
  readonly files: readonly FileVerdict[];
  /** Bytes hashed. */
  readonly bytes: number;
}

export interface DeepVerificationOptions {
  readonly hasher: Hasher;
  readonly signal: AbortSignal;
  /** Bytes hashed so far, over all files. */
  readonly onProgress: (hashedBytes: number) => void;
}

type PresentBundle = Extract<BundleState, { kind: 'present' }>;

/** What the system says of a file that is gone, faulty, forbidden, or none at all; never of a shortage of its own. */
const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EIO', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'ENXIO', 'ESPIPE'];

/** How many files are hashed at once; more threads gain nothing on the machines measured. */
const FILES_AT_ONCE = 2;

/**
 * Hashes every file of a bundle and compares with its manifest. Changes nothing.
 * @throws Failure('cancelled')
 */
export async function verifyDeeply(
  folder: string,
  bundle: PresentBundle,
  { hasher, signal, onProgress }: DeepVerificationOptions
): Promise<DeepVerification> {
  const hashed = new Map<string, number>();
  const report = (path: string, bytes: number): void => {
    hashed.set(path, bytes);
    onProgress(total(hashed));
  };
  const verdicts = new Map<string, FileVerdict>();
  const queue = bundle.files[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const state of queue) verdicts.set(state.file.path, await verdict(folder, state, hasher, signal, report));
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
  const files = bundle.files.flatMap(({ file }) => verdicts.get(file.path) ?? []);
  return { files, bytes: total(hashed) };
}

async function verdict(
  folder: string,
  { file, problem }: BundleFileState,
  hasher: Hasher,
  signal: AbortSignal,
  report: (path: string, bytes: number) => void
): Promise<FileVerdict> {
  const { path } = file;
  if (problem !== undefined) return { path, verdict: 'corrupt', reason: `The file ${problem}.` };
  try {
    const onProgress = (bytes: number): void => report(path, bytes);
    const hash = await hasher.hash(join(folder, path), { signal, onProgress });
    report(path, hash.bytes);
    if (hash.digest !== file.sha256) {
      return { path, verdict: 'corrupt', reason: `The SHA-256 is ${hash.digest}, not ${file.sha256}.` };
    }
  } catch (error) {
    if (!isErrorWithCode(error, ...UNREADABLE)) throw error;
    return { path, verdict: 'corrupt', reason: 'The file cannot be read.' };
  }
  // Nobody declared this digest: it shows that nothing changed since the installation, no more.
  if (file.digest_origin === 'observed') return { path, verdict: 'unverifiable', reason: 'Unchanged since install.' };
  return { path, verdict: 'verified' };
}

function total(hashed: ReadonlyMap<string, number>): number {
  let bytes = 0;
  for (const amount of hashed.values()) bytes += amount;
  return bytes;
}
