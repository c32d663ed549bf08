import { basename, dirname } from 'node:path';
import type { Verdict } from '../../../shared/model';
import type { TreeEntry } from '../revision-tree';
import type { CachedFile, CachedRepository, CachedRevision } from './cache-contents';
import type { ChainEnd, FileOnDisk } from './follow-links';
import { cachePath } from './read-folder';

/** A digest as the cache names contents by. */
export interface ContentDigest {
  /** `git-sha1`: of `blob <length>`, a zero byte, and the content, as git names it. */
  readonly algorithm: 'sha256' | 'git-sha1';
  /** Lower-case hexadecimal digits. */
  readonly hex: string;
}

/** What a cached file should be. */
export type ExpectedContent =
  | { readonly kind: 'known'; readonly digest: ContentDigest; readonly bytes?: number }
  /** A sentence that says why nothing can be proved. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** What is to be said of a file, or that it has to be read for that. */
export type Judgement =
  | { readonly kind: 'judged'; readonly verdict: Verdict; readonly reason: string }
  | { readonly kind: 'to-hash'; readonly file: FileOnDisk; readonly digest: ContentDigest };

/** The digests of nothing, by which an empty file is what it should be. */
const EMPTY: ReadonlySet<string> = new Set([
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
]);

/** Reads a name in `blobs`: 64 hexadecimal digits are a SHA-256, 40 are that of a git object. */
function digestOfName(name: string): ContentDigest | undefined {
  if (/^[0-9a-f]{64}$/.test(name)) return { algorithm: 'sha256', hex: name };
  return /^[0-9a-f]{40}$/.test(name) ? { algorithm: 'git-sha1', hex: name } : undefined;
}

/** The name in the repository's `blobs` that a pointer leads to first; undefined when it leads to none. */
function blobNameOf({ places }: Pick<CachedRepository, 'places'>, { chain }: CachedFile): string | undefined {
  const blob = chain.targets.find((target) => dirname(target) === places.blobs);
  return blob === undefined ? undefined : basename(blob);
}

/** What a file should be, by the name that its pointer leads to and by what the hub said of its revision. */
export function expectedContent(
  repository: Pick<CachedRepository, 'places'>,
  revision: Pick<CachedRevision, 'tree'>,
  file: CachedFile
): ExpectedContent {
  const noted = revision.tree?.get(file.path);
  const name = blobNameOf(repository, file);
  if (name === undefined) {
    if (noted) return { kind: 'known', digest: notedDigest(noted), bytes: noted.bytes };
    return unknown(
      file.chain.targets.length === 0
        ? 'This is a copy, and nobody noted its digest.'
        : 'The link does not lead to the contents of its repository.'
    );
  }
  const digest = digestOfName(name);
  if (!digest) return unknown('The content is not named by a digest.');
  if (!noted) return { kind: 'known', digest };
  if (notedDigest(noted).hex !== digest.hex) {
    return unknown('The name of the content and the list of the revision’s files disagree.');
  }
  return { kind: 'known', digest, bytes: noted.bytes };
}

/** Judges a file as far as that needs no byte of it. @param root the cache, for paths in sentences */
export function judge(root: string, { chain: { end } }: CachedFile, expected: ExpectedContent): Judgement {
  if (end.kind !== 'file') return judgeEnd(root, end);
  const bytes = expected.kind === 'known' ? expected.bytes : undefined;
  const isEmptyDigest = expected.kind === 'known' && EMPTY.has(expected.digest.hex);
  if (end.bytes === 0 && bytes !== 0 && !isEmptyDigest) return corrupt('The file is empty.');
  if (bytes !== undefined && end.bytes !== bytes) {
    return corrupt(`The file has ${end.bytes} bytes and should have ${bytes}.`);
  }
  if (expected.kind === 'unknown') return { kind: 'judged', verdict: 'unverifiable', reason: expected.reason };
  return { kind: 'to-hash', file: end, digest: expected.digest };
}

function judgeEnd(root: string, end: Exclude<ChainEnd, { kind: 'file' }>): Judgement {
  switch (end.kind) {
    case 'missing':
      return corrupt(`The link leads to ${cachePath(root, end.path)}, where nothing is.`);
    case 'circle':
      return corrupt('The link leads in a circle.');
    case 'not-a-file':
      return corrupt(`There is no file at ${cachePath(root, end.path)}.`);
    case 'outside':
      return unverifiable('The link leads out of the cache, where nothing is read.');
    case 'unreadable':
      return end.code === 'EIO'
        ? corrupt('The disk reports a fault.')
        : unverifiable(`It cannot be read (${end.code}).`);
  }
}

function notedDigest({ sha256, gitSha1 }: TreeEntry): ContentDigest {
  return sha256 === undefined ? { algorithm: 'git-sha1', hex: gitSha1 } : { algorithm: 'sha256', hex: sha256 };
}

function unknown(reason: string): ExpectedContent {
  return { kind: 'unknown', reason };
}

function corrupt(reason: string): Judgement {
  return { kind: 'judged', verdict: 'corrupt', reason };
}

function unverifiable(reason: string): Judgement {
  return { kind: 'judged', verdict: 'unverifiable', reason };
}
