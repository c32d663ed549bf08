import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../../shared/digest';
import { cancelled } from '../../../shared/failure';
import { errorCode } from '../../platform/system-error';
import type { AdoptionCandidate, AdoptionPlace } from '../../pull/local/adoption-place';
import { LinkFollower } from './follow-links';

/** Folders of repositories in the cache. */
const REPOSITORY = /^(models|datasets|spaces)--/;

/**
 * The cache of the hub's own tools: `<repository>/blobs/<SHA-256>` holds, or leads to, a large file of any repository.
 * That name is what the hub said when it was fetched, and proves nothing.
 * @param cache absolute path
 */
export function hubCachePlace(cache: string): AdoptionPlace {
  return {
    async candidates(sought, signal) {
      const digests = new Set(sought.map(({ digest }) => digest));
      const found = new Map<Digest, AdoptionCandidate[]>();
      const root = await realpath(cache).catch(() => cache);
      const follower = new LinkFollower(root);
      for (const repository of await namesIn(root)) {
        if (signal.aborted) throw cancelled('The search');
        if (!REPOSITORY.test(repository)) continue;
        const blobs = join(root, repository, 'blobs');
        const names = new Set(await namesIn(blobs));
        for (const digest of digests) {
          if (!names.has(digest)) continue;
          const { end } = await follower.follow(join(blobs, digest));
          if (end.kind !== 'file') continue;
          const candidate = { path: end.path, bytes: end.bytes, isNamedByDigest: true };
          found.set(digest, [...(found.get(digest) ?? []), candidate]);
        }
      }
      return found;
    }
  };
}

/** Sorted; a folder that cannot be read, or is a link elsewhere, holds nothing for us. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? (await readdir(folder)).toSorted() : [];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}
