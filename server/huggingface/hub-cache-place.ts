import { lstat, readlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Digest } from '../../shared/digest';
import { cancelled } from '../../shared/failure';
import { entriesOf } from '../platform/folder-entries';
import { errorCode } from '../platform/system-error';
import type { AdoptionCandidate, AdoptionPlace } from '../pull/adoption-place';

/** Folders of repositories in the cache. */
const REPOSITORY = /^(models|datasets|spaces)--/;

/** A blob in the shared store of newer versions is one link away; more than a few are no layout of the hub. */
const MOST_LINKS = 4;

/**
 * The cache of the hub's own tools: `<repository>/blobs/<SHA-256>` holds a large file of any repository. That name is
 * what the hub said when it was fetched, and proves nothing.
 * @param cache absolute path
 */
export function hubCachePlace(cache: string): AdoptionPlace {
  return {
    async candidates(sought, signal) {
      const digests = new Set(sought.map(({ digest }) => digest));
      const found = new Map<Digest, AdoptionCandidate[]>();
      for (const repository of await namesIn(cache)) {
        if (signal.aborted) throw cancelled('The search');
        if (!REPOSITORY.test(repository)) continue;
        const blobs = join(cache, repository, 'blobs');
        const names = new Set(await namesIn(blobs));
        for (const digest of digests) {
          const candidate = names.has(digest) ? await behindLinks(join(blobs, digest), cache) : undefined;
          if (candidate) found.set(digest, [...(found.get(digest) ?? []), candidate]);
        }
      }
      return found;
    }
  };
}

/** The regular file that a blob leads to, link by link; none when it leads nowhere or out of the cache. */
async function behindLinks(blob: string, cache: string): Promise<AdoptionCandidate | undefined> {
  let path = blob;
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    try {
      const facts = await lstat(path);
      if (facts.isFile()) return { path, bytes: facts.size, isNamedByDigest: true };
      if (!facts.isSymbolicLink()) return undefined;
      path = resolve(dirname(path), await readlink(path));
    } catch {
      // It dangles, or it is gone by now.
      return undefined;
    }
    if (!liesIn(cache, path)) return undefined;
  }
  return undefined;
}

function liesIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

/** A folder that cannot be read holds nothing for us. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await entriesOf(folder);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}
