import type { HubCacheVerdict } from '../../../shared/hub-cache';
import type { Hasher } from '../../platform/hasher';
import { sideBySide } from '../../platform/side-by-side';
import { isErrorWithCode } from '../../platform/system-error';
import type { Proofs } from '../../store/proofs';
import { readDigest } from '../../store/read-digest';
import type { CachedFile, CachedRepository, CachedRevision } from './cache-contents';
import { type ContentDigest, expectedContent, type Judgement, judge } from './expected-content';
import { type ChainEnd, type FileOnDisk, LinkFollower } from './follow-links';

/** A file of a revision, as it was found. */
export interface FileInRevision {
  readonly revision: CachedRevision;
  readonly file: CachedFile;
}

/** A file with its verdict; a corrupt one is the way it was found last. */
export interface JudgedFile extends FileInRevision {
  readonly verdict: HubCacheVerdict;
}

export interface RepositoryVerification {
  readonly files: readonly JudgedFile[];
  /** Bytes that were read for it. */
  readonly bytes: number;
}

export interface VerificationOptions {
  /** The cache, absolute and without links. */
  readonly root: string;
  readonly hasher: Hasher;
  readonly proofs: Proofs;
  /** Whether to read even those files again that did not change since they were read. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  /** Bytes that are done with: hashed now or known from before. */
  readonly onProgress: (bytes: number) => void;
}

/** More threads gain nothing on the machines measured. */
const FILES_AT_ONCE = 2;

/** What the system says of a file that is gone or faulty; anything else is a shortage of its own. */
const FAULTY = ['ENOENT', 'ENOTDIR', 'EIO', 'ELOOP', 'EISDIR', 'ENXIO', 'ESPIPE'];

/** Bytes that a verification has to know about, contents that several files share once. */
export function bytesToHash(root: string, repository: CachedRepository, revisions: readonly CachedRevision[]): number {
  const sizes = new Map<string, number>();
  for (const revision of revisions) {
    for (const file of revision.files) {
      const judgement = judge(root, file, expectedContent(repository, revision, file));
      if (judgement.kind === 'to-hash') sizes.set(judgement.file.key, judgement.file.bytes);
    }
  }
  return total(sizes.values());
}

/**
 * Says of every file of some revisions whether it is what it should be. Offline, and nothing is changed; a content
 * that several files lead to is read once.
 * @throws Failure('cancelled')
 */
export async function verifyRepository(
  repository: CachedRepository,
  revisions: readonly CachedRevision[],
  options: VerificationOptions
): Promise<RepositoryVerification> {
  const files = revisions.flatMap((revision) => revision.files.map((file) => ({ revision, file })));
  const verifier = new Verifier(repository, options);
  const judged = new Map<FileInRevision, JudgedFile>();
  await options.proofs.refresh();
  await sideBySide(files, FILES_AT_ONCE, async (found) => judged.set(found, await verifier.verify(found)));
  return { files: files.flatMap((found) => judged.get(found) ?? []), bytes: verifier.readBytes };
}

type Judged = Omit<HubCacheVerdict, 'commit' | 'path'>;

class Verifier {
  private readonly readings = new Map<string, Promise<ContentReading>>();
  private readonly progress = new Map<string, number>();
  /** Bytes that were read so far. */
  readBytes = 0;

  constructor(
    private readonly repository: CachedRepository,
    private readonly options: VerificationOptions
  ) {}

  /** What seems corrupt is looked at again: another program may just have put it in order. */
  async verify(found: FileInRevision): Promise<JudgedFile> {
    const first = await this.judge(found);
    if (first.verdict.verdict !== 'corrupt') return first;
    const chain = await new LinkFollower(this.options.root).follow(found.file.pointer);
    if (isSame(found.file.chain.end, chain.end)) return first;
    return this.judge({ ...found, file: { ...found.file, chain } });
  }

  private async judge({ revision, file }: FileInRevision): Promise<JudgedFile> {
    const judgement = judge(this.options.root, file, expectedContent(this.repository, revision, file));
    const { verdict, ...why }: Judged =
      judgement.kind === 'judged' ? withoutKind(judgement) : await this.compare(judgement);
    return { revision, file, verdict: { commit: revision.commit, path: file.path, verdict, ...why } };
  }

  private async compare({ file, digest }: Extract<Judgement, { kind: 'to-hash' }>): Promise<Judged> {
    try {
      const { hex, provedAt } = await this.readOnce(file, digest.algorithm);
      const when = provedAt === undefined ? {} : { provedAt };
      if (hex === digest.hex) return { verdict: 'verified', ...when };
      return { verdict: 'corrupt', reason: `Its ${nameOf(digest)} is ${hex} and should be ${digest.hex}.`, ...when };
    } catch (error) {
      if (isErrorWithCode(error, ...FAULTY)) return { verdict: 'corrupt', reason: 'The file cannot be read.' };
      if (isErrorWithCode(error, 'EACCES', 'EPERM')) return { verdict: 'unverifiable', reason: 'Access was denied.' };
      throw error;
    }
  }

  private readOnce(file: FileOnDisk, algorithm: ContentDigest['algorithm']): Promise<ContentReading> {
    // A file that was replaced meanwhile is another one, even at the same place.
    const key = `${algorithm}:${file.key}:${file.modifiedAt}:${file.bytes}`;
    const known = this.readings.get(key);
    if (known) return known;
    const onProgress = (bytes: number): void => {
      this.progress.set(key, bytes);
      this.options.onProgress(total(this.progress.values()));
    };
    const reading = readContent(file.path, algorithm, { ...this.options, onProgress });
    this.readings.set(key, reading);
    return reading.then((done) => {
      onProgress(done.bytes);
      if (done.provedAt === undefined) this.readBytes += done.bytes;
      return done;
    });
  }
}

interface ContentReading {
  /** Lower-case hexadecimal digits. */
  readonly hex: string;
  readonly bytes: number;
  /** When it was read, if not now. */
  readonly provedAt?: number;
}

/** The digest of a file by one of the cache's algorithms. @throws system errors, Failure('cancelled') */
async function readContent(
  path: string,
  algorithm: ContentDigest['algorithm'],
  options: Omit<VerificationOptions, 'root'>
): Promise<ContentReading> {
  if (algorithm === 'git-sha1') {
    // Files in git are small; reading them again costs less than remembering them.
    const { sha1, bytes } = await options.hasher.hashForGit(path, options);
    return { hex: sha1, bytes };
  }
  const { digest, bytes, isRemembered, readAt } = await readDigest(path, options);
  return { hex: digest, bytes, ...(isRemembered && { provedAt: readAt }) };
}

function withoutKind({ verdict, reason }: Extract<Judgement, { kind: 'judged' }>): Judged {
  return { verdict, reason };
}

function nameOf({ algorithm }: ContentDigest): string {
  return algorithm === 'sha256' ? 'SHA-256' : 'git SHA-1';
}

function isSame(before: ChainEnd, after: ChainEnd): boolean {
  if (before.kind !== 'file' || after.kind !== 'file') return before.kind === after.kind;
  return before.key === after.key && before.modifiedAt === after.modifiedAt && before.bytes === after.bytes;
}

function total(amounts: Iterable<number>): number {
  let bytes = 0;
  for (const amount of amounts) bytes += amount;
  return bytes;
}
