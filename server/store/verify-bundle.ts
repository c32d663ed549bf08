import { join } from 'node:path';
import type { InstalledFile } from '../../shared/manifest/installed-manifest';
import type { FileVerdict } from '../../shared/model';
import type { Hasher } from '../platform/hasher';
import { sideBySide } from '../platform/side-by-side';
import { isErrorWithCode } from '../platform/system-error';
import type { BundleFileState, BundleState } from './bundle-state';
import type { Proofs } from './proofs';
import { type DigestReading, readDigest } from './read-digest';

/** What every byte of a bundle showed. */
export interface DeepVerification {
  readonly files: readonly FileVerdict[];
  /** Bytes that were read for it. */
  readonly bytes: number;
}

export interface DeepVerificationOptions {
  readonly hasher: Hasher;
  readonly proofs: Proofs;
  /** Whether to read even those files again that did not change since they were read. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** Bytes that are done with, over all files: hashed now or known from before. */
  readonly onProgress: (bytes: number) => void;
}

type PresentBundle = Extract<BundleState, { kind: 'present' }>;

/** What the system says of a file that is gone, faulty, or none at all; never of a shortage of its own. */
const UNREADABLE = ['ENOENT', 'ENOTDIR', 'EIO', 'EISDIR', 'ELOOP', 'ENXIO', 'ESPIPE'];

/** What the system says of a file that may be right, and that somebody else may read. */
const DENIED = ['EACCES', 'EPERM'];

/** Why nothing can be said of a file that we may not read. */
export const ACCESS_DENIED = 'Access was denied.';

/** How many files are hashed at once; more threads gain nothing on the machines measured. */
const FILES_AT_ONCE = 2;

/**
 * Compares the digest of every file of a bundle with its manifest; a file that did not change since it was read is
 * not read again. Changes nothing.
 * @param bundle as a quick look saw it; one with proofs spares unchanged files another, and is none to be forced
 * @throws Failure('cancelled')
 */
export async function verifyDeeply(
  folder: string,
  bundle: PresentBundle,
  options: DeepVerificationOptions
): Promise<DeepVerification> {
  const done = new Map<string, number>();
  let doneBytes = 0;
  const report = (path: string, bytes: number): void => {
    doneBytes += bytes - (done.get(path) ?? 0);
    done.set(path, bytes);
    options.onProgress(doneBytes);
  };
  await options.proofs.refresh();
  const examined = new Map<string, ExaminedFile>();
  await sideBySide(bundle.files, FILES_AT_ONCE, async (state) =>
    examined.set(state.file.path, await examine(folder, state, options, report))
  );
  const files = bundle.files.flatMap(({ file }) => examined.get(file.path)?.verdict ?? []);
  return { files, bytes: [...examined.values()].reduce((sum, { readBytes }) => sum + readBytes, 0) };
}

interface ExaminedFile {
  readonly verdict: FileVerdict;
  readonly readBytes: number;
}

async function examine(
  folder: string,
  state: BundleFileState,
  { hasher, proofs, force, signal }: DeepVerificationOptions,
  report: (path: string, bytes: number) => void
): Promise<ExaminedFile> {
  const { file, reading: remembered } = state;
  const { path } = file;
  if (remembered && !force) {
    report(path, file.size_bytes);
    return { verdict: verdictOn(file, { ...remembered, isRemembered: true }), readBytes: 0 };
  }
  const known = verdictAtSight(state);
  if (known) return { verdict: known, readBytes: 0 };
  try {
    const onProgress = (bytes: number): void => report(path, bytes);
    const reading = await readDigest(join(folder, path), { hasher, proofs, signal, force, onProgress });
    report(path, reading.bytes);
    return { verdict: verdictOn(file, reading), readBytes: reading.isRemembered ? 0 : reading.bytes };
  } catch (error) {
    if (isErrorWithCode(error, ...DENIED)) return { verdict: denied(path), readBytes: 0 };
    if (!isErrorWithCode(error, ...UNREADABLE)) throw error;
    return { verdict: { path, verdict: 'corrupt', reason: 'The file cannot be read.' }, readBytes: 0 };
  }
}

/** The verdict on a file that need not be read for it; undefined when nothing is known against the file. */
export function verdictAtSight({ file: { path }, problem, isInaccessible }: BundleFileState): FileVerdict | undefined {
  if (isInaccessible) return denied(path);
  return problem === undefined ? undefined : { path, verdict: 'corrupt', reason: `The file ${problem}.` };
}

function denied(path: string): FileVerdict {
  return { path, verdict: 'unverifiable', reason: ACCESS_DENIED };
}

function verdictOn(
  { path, sha256, digest_origin }: InstalledFile,
  { digest, readAt, isRemembered }: Omit<DigestReading, 'bytes'>
): FileVerdict {
  const when = isRemembered ? { provedAt: readAt } : {};
  if (digest !== sha256) {
    return { path, verdict: 'corrupt', reason: `The SHA-256 is ${digest}, not ${sha256}.`, ...when };
  }
  // Nobody declared this digest: it shows that nothing changed since the installation, no more.
  if (digest_origin === 'observed')
    return { path, verdict: 'unverifiable', reason: 'Unchanged since install.', ...when };
  return { path, verdict: 'verified', ...when };
}
