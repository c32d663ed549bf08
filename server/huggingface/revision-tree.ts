import { lstat, readFile } from 'node:fs/promises';
import * as z from 'zod';
import { isErrorWithCode } from '../platform/system-error';

/** What the hub said of a file when its revision was downloaded. */
export interface TreeEntry {
  readonly bytes: number;
  /** SHA-1 of the git object; that of a pointer for a large file. */
  readonly gitSha1: string;
  /** SHA-256 of a large file. */
  readonly sha256?: string;
}

/** The files of a revision by their path in the repository. */
export type RevisionTree = ReadonlyMap<string, TreeEntry>;

/** Listings of the largest repositories are a few MB. */
const LARGEST_TREE_BYTES = 64 * 1024 * 1024;

/** `trees/<commit>.json` of huggingface_hub 1.22 and newer (its `_tree_cache.py`). */
const treeFile = z.object({
  format_version: z.literal(1),
  files: z.record(
    z.string(),
    z.object({
      size: z.int().min(0),
      blob_id: z.string().regex(/^[0-9a-f]{40}$/),
      lfs_sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullish(),
      lfs_size: z.int().min(0).nullish()
    })
  )
});

/** Reads the listing of a revision. @returns undefined when there is none, a sentence when it cannot be used */
export async function readRevisionTree(path: string): Promise<RevisionTree | string | undefined> {
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size > LARGEST_TREE_BYTES) {
      return 'The list of the revision’s files is no plain file, or too large.';
    }
    const parsed = treeFile.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (!parsed.success) return 'The list of the revision’s files has a form that is not known.';
    return new Map(Object.entries(parsed.data.files).map(([file, entry]) => [file, treeEntry(entry)]));
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    return 'The list of the revision’s files cannot be read.';
  }
}

function treeEntry(entry: z.infer<typeof treeFile>['files'][string]): TreeEntry {
  const { size, blob_id: gitSha1, lfs_sha256: sha256, lfs_size: lfsBytes } = entry;
  if (sha256 === undefined || sha256 === null) return { bytes: size, gitSha1 };
  return { bytes: lfsBytes ?? size, gitSha1, sha256 };
}
