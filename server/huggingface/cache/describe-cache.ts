import type {
  HubCacheFile,
  HubCacheListing,
  HubCacheRemnant,
  HubCacheRepository,
  HubCacheRevision
} from '../../../shared/hub-cache';
import { repositoryPage } from '../hub-address';
import { referenceText } from '../repository';
import type { CacheContents, CachedFile, CachedRepository, CachedRevision } from './cache-contents';
import { judge } from './expected-content';
import type { FileOnDisk, LinkChain } from './follow-links';
import { cachePath } from './read-folder';

/**
 * What a cache holds, in the form that lists show.
 * @param endpoint the user's HF_ENDPOINT, or undefined
 */
export function describeCache(
  { root, repositories, shared, problems }: CacheContents,
  endpoint: string | undefined
): HubCacheListing {
  const used = new Set(repositories.flatMap(filesOf).map(({ key }) => key));
  const all = [...repositories.flatMap(filesOf), ...shared.map(({ file }) => file)];
  return {
    folder: root,
    exists: true,
    bytes: countOnce(all),
    repositories: repositories
      .map((repository) => ({
        ...describeRepository(root, repository),
        webAddress: repositoryPage(repository.id, endpoint)
      }))
      .toSorted((a, b) => (a.reference < b.reference ? -1 : 1)),
    unreferenced: shared.filter(({ file }) => !used.has(file.key)).map(({ file }) => remnant(root, file)),
    problems
  };
}

/** Every content that a repository uses: by its revisions, its blobs, and its unfinished downloads. */
export function filesOf({ revisions, blobs, incomplete }: CachedRepository): FileOnDisk[] {
  const chains = [...revisions.flatMap(({ files }) => files), ...blobs].map(({ chain }) => chain);
  return [...chains.flatMap(fileOf), ...incomplete];
}

/** The blobs that no file of any revision leads to; none when a part of the repository could not be read. */
export function unreferencedBlobs({ isWhole, revisions, blobs }: CachedRepository): CachedRepository['blobs'] {
  if (!isWhole) return [];
  const used = new Set(revisions.flatMap(({ files }) => files.flatMap(({ chain }) => chain.targets)));
  return blobs.filter(({ path }) => !used.has(path));
}

function describeRepository(root: string, repository: CachedRepository): Omit<HubCacheRepository, 'webAddress'> {
  const { id, places, revisions, incomplete, problems } = repository;
  const files = filesOf(repository);
  return {
    reference: referenceText(id),
    kind: id.kind,
    name: id.name,
    folder: places.folder,
    bytes: countOnce(files),
    lastUsedAtUnixMs: Math.max(0, ...files.map(({ modifiedAt, accessedAt }) => Math.max(modifiedAt, accessedAt))),
    revisions: revisions.map((revision) => describeRevision(root, revision)),
    incomplete: incomplete.map((file) => remnant(root, file)),
    unreferenced: unreferencedBlobs(repository).map((blob) => {
      const [file] = fileOf(blob.chain);
      return { path: cachePath(root, blob.path), bytes: file?.bytes ?? 0, modifiedAtUnixMs: file?.modifiedAt ?? 0 };
    }),
    problems
  };
}

function describeRevision(root: string, { commit, refs, folder, modifiedAt, files }: CachedRevision): HubCacheRevision {
  return {
    commit,
    refs,
    folder,
    bytes: countOnce(files.flatMap(({ chain }) => fileOf(chain))),
    modifiedAtUnixMs: modifiedAt,
    files: files.map((file) => describeFile(root, file))
  };
}

function describeFile(root: string, file: CachedFile): HubCacheFile {
  const { path, pointer, chain } = file;
  const common = { path, location: pointer };
  if (chain.end.kind === 'file') return { ...common, bytes: chain.end.bytes };
  const judgement = judge(root, file, { kind: 'unknown', reason: '' });
  return { ...common, ...(judgement.kind === 'judged' && { problem: judgement.reason }) };
}

function fileOf({ end }: LinkChain): FileOnDisk[] {
  return end.kind === 'file' ? [end] : [];
}

function remnant(root: string, { path, bytes, modifiedAt }: FileOnDisk): HubCacheRemnant {
  return { path: cachePath(root, path), bytes, modifiedAtUnixMs: modifiedAt };
}

function countOnce(files: readonly FileOnDisk[]): number {
  const sizes = new Map(files.map(({ key, bytes }) => [key, bytes]));
  let sum = 0;
  for (const bytes of sizes.values()) sum += bytes;
  return sum;
}
