import { join } from 'node:path';
import type { CachedRepository } from './cache-contents';
import { type ContentDigest, expectedContent } from './expected-content';
import type { ChainEnd } from './follow-links';
import { isCommit } from './read-refs';
import type { JudgedFile } from './verify-repository';

/** A content that is to be fetched again, and where it belongs. */
export interface Repair {
  /** Absolute path of the content: in the repository's `blobs`, or of the copy in a snapshot. */
  readonly target: string;
  readonly digest: ContentDigest;
  /** What the corrupt content was when it was judged. */
  readonly found: ChainEnd;
  /** The files that need it; any of them tells where the hub has it. */
  readonly files: readonly [JudgedFile, ...JudgedFile[]];
  /** Pointers that must lead to the target; none when the target is the file itself. */
  readonly pointers: readonly string[];
}

/** What can be healed, and what is left as it is. */
export interface HealingPlan {
  readonly repairs: readonly Repair[];
  readonly kept: readonly { readonly file: JudgedFile; readonly reason: string }[];
}

/** Decides for every corrupt file what is to be put where. What is not corrupt is never touched. */
export function planHealing(repository: CachedRepository, judged: readonly JudgedFile[]): HealingPlan {
  const repairs = new Map<string, Repair>();
  const kept: { file: JudgedFile; reason: string }[] = [];
  for (const file of judged.filter(({ verdict }) => verdict.verdict === 'corrupt')) {
    const repair = repairOf(repository, file);
    if (typeof repair === 'string') {
      kept.push({ file, reason: repair });
      continue;
    }
    const known = repairs.get(repair.target);
    repairs.set(repair.target, known ? withFile(known, repair) : repair);
  }
  return { repairs: [...repairs.values()], kept };
}

function withFile(repair: Repair, { files, pointers }: Repair): Repair {
  const [first, ...others] = repair.files;
  return { ...repair, files: [first, ...others, ...files], pointers: [...repair.pointers, ...pointers] };
}

/** @returns a sentence when a file cannot be healed */
function repairOf({ places }: CachedRepository, judged: JudgedFile): Repair | string {
  const { revision, file } = judged;
  const { targets, end } = file.chain;
  const expected = expectedContent({ places }, revision, file);
  if (expected.kind === 'unknown') return 'Nothing says what it should be.';
  if (!isCommit(revision.commit)) return 'The revision is not named by a commit, so that it cannot be asked for.';
  const { digest } = expected;
  if (targets.length === 0) return { target: file.pointer, digest, found: end, files: [judged], pointers: [] };
  const target = join(places.blobs, digest.hex);
  return { target, digest, found: end, files: [judged], pointers: [file.pointer] };
}
