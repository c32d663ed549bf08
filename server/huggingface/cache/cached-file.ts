import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Digest, parseDigest } from '../../../shared/digest';
import type { HubAddress } from '../hub-address';
import { LinkFollower } from './follow-links';
import { ProblemList } from './read-folder';
import { isCommit, readRefs } from './read-refs';

/** A file of the hub that lies in the cache of the hub's own tools. */
export interface CachedHubFile {
  /** Absolute path of its bytes. */
  readonly path: string;
  readonly bytes: number;
  /** What the hub declared when the file was fetched; undefined for small files, which git keeps. */
  readonly declared: Digest | undefined;
}

/**
 * Finds a file by its place in the cache alone; nothing is read but what a branch means there.
 * @param cache absolute path
 */
export async function findCachedFile(cache: string, address: HubAddress): Promise<CachedHubFile | undefined> {
  const { owner, repo, revision, path } = address;
  const root = await realpath(cache).catch(() => undefined);
  if (root === undefined) return undefined;
  const repository = join(root, `models--${owner}--${repo}`);
  const commit = isCommit(revision) ? revision : await commitOf(repository, revision);
  if (commit === undefined) return undefined;
  const pointer = join(repository, 'snapshots', commit, ...path.split('/'));
  // Whoever made a folder a link may have made it lead anywhere.
  if ((await realpath(dirname(pointer)).catch(() => undefined)) !== dirname(pointer)) return undefined;
  const { targets, end } = await new LinkFollower(root).follow(pointer);
  if (end.kind !== 'file' || end.bytes === 0) return undefined;
  const blob = targets.find((target) => dirname(target) === join(repository, 'blobs'));
  const declared = blob === undefined ? undefined : parseDigest(basename(blob));
  return { path: end.path, bytes: end.bytes, declared };
}

async function commitOf(repository: string, revision: string): Promise<string | undefined> {
  const refs = join(repository, 'refs');
  const found = await readRefs(refs, new ProblemList(refs));
  return found.find(({ name }) => name === revision)?.commit;
}
