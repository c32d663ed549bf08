import { join } from 'node:path';
import type { CacheContents, CachedBlob, CachedRepository, CachedRevision, SharedBlob } from './cache-contents';
import { filesOf, unreferencedBlobs } from './describe-cache';
import type { FileOnDisk } from './follow-links';

/** What is deleted, in this order, and what that frees. */
export interface DeletionPlan {
  /** Refs, files. */
  readonly refs: readonly string[];
  /** Snapshots, folders. */
  readonly snapshots: readonly string[];
  /** What was noted about the revisions, files and folders. */
  readonly notes: readonly string[];
  /** Contents and unfinished downloads in `blobs`. */
  readonly blobs: readonly string[];
  /** Contents of the shared store that nobody uses then. */
  readonly shared: readonly string[];
  /** Folders of repositories that nothing is left of. */
  readonly repositories: readonly string[];
  readonly freedBytes: number;
  /** Bytes that the deleted revisions share with others, and that therefore stay. */
  readonly keptBytes: number;
  /** Bytes that stay because another program may be downloading them. */
  readonly arrivingBytes: number;
}

/**
 * Plans to delete a whole repository; its folder stays while something in it may be in the making.
 * @param before what nothing uses and changed later, in ms since the epoch, may be in the making and stays
 */
export function planRepositoryDeletion(
  contents: CacheContents,
  repository: CachedRepository,
  before: number
): DeletionPlan {
  const { places, refs, revisions } = repository;
  const arriving = arrivingIn(repository, before);
  const left = without(repository, arriving);
  return withShared(contents, left.blobs, {
    refs: refs.map(({ path }) => path),
    snapshots: revisions.map(({ folder }) => folder),
    notes: notesOn(repository, revisions),
    blobs: [...left.blobs, ...left.incomplete].map(({ path }) => path),
    repositories: arriving.length === 0 ? [places.folder] : [],
    files: filesOf(left),
    staying: contents.repositories.filter((other) => other !== repository).flatMap(filesOf),
    arrivingBytes: arriving.reduce((sum, { bytes }) => sum + bytes, 0)
  });
}

/** What no revision uses and is so young that another program may be downloading it. */
function arrivingIn(repository: CachedRepository, before: number): readonly FileOnDisk[] {
  const unused = unreferencedBlobs(repository).flatMap(({ path, chain: { end } }) =>
    end.kind === 'file' ? [{ ...end, path }] : []
  );
  return [...repository.incomplete, ...unused].filter((file) => file.modifiedAt >= before);
}

function without(repository: CachedRepository, files: readonly FileOnDisk[]): CachedRepository {
  const paths = new Set(files.map(({ path }) => path));
  return {
    ...repository,
    blobs: repository.blobs.filter(({ path }) => !paths.has(path)),
    incomplete: repository.incomplete.filter(({ path }) => !paths.has(path))
  };
}

function notesOn({ places }: CachedRepository, revisions: readonly CachedRevision[]): string[] {
  return revisions.flatMap(({ commit }) => [join(places.trees, `${commit}.json`), join(places.absences, commit)]);
}

/** Plans to delete some revisions of a repository; what others use stays. */
export function planRevisionDeletion(
  contents: CacheContents,
  repository: CachedRepository,
  revisions: readonly CachedRevision[]
): DeletionPlan {
  const { refs } = repository;
  const left: CachedRepository = {
    ...repository,
    revisions: repository.revisions.filter((revision) => !revisions.includes(revision))
  };
  const before = new Set(unreferencedBlobs(repository));
  // What nobody used before either is not a part of these revisions.
  const blobs = unreferencedBlobs(left).filter((blob) => !before.has(blob));
  const others = contents.repositories.filter((other) => other !== repository);
  const remaining = { ...left, blobs: left.blobs.filter((blob) => !blobs.includes(blob)) };
  return withShared(contents, blobs, {
    refs: refs.filter((ref) => revisions.some(({ commit }) => commit === ref.commit)).map(({ path }) => path),
    snapshots: revisions.map(({ folder }) => folder),
    notes: notesOn(repository, revisions),
    blobs: blobs.map(({ path }) => path),
    repositories: [],
    files: revisions.flatMap(({ files }) => files.flatMap(({ chain: { end } }) => (end.kind === 'file' ? [end] : []))),
    staying: [...others, remaining].flatMap(filesOf),
    arrivingBytes: 0
  });
}

/**
 * Plans to delete what no revision uses: unfinished downloads and contents.
 * @param before what changed later, in ms since the epoch, may be in the making and stays
 */
export function planPruning(
  contents: CacheContents,
  repositories: readonly CachedRepository[],
  before: number
): DeletionPlan {
  const blobs = repositories.flatMap(unreferencedBlobs).filter((blob) => modifiedAt(blob) < before);
  const incomplete = repositories
    .flatMap((repository) => repository.incomplete)
    .filter((file) => file.modifiedAt < before);
  const pruned = new Set(blobs);
  const remaining = contents.repositories.map((repository) => ({
    ...repository,
    blobs: repository.blobs.filter((blob) => !pruned.has(blob)),
    incomplete: []
  }));
  // What is in the shared store belongs to no repository in particular.
  const isAll = repositories.length === contents.repositories.length;
  const unused = isAll ? contents.shared.filter(({ file }) => file.modifiedAt < before) : [];
  return withShared(
    contents,
    blobs,
    {
      refs: [],
      snapshots: [],
      notes: [],
      blobs: [...blobs.map(({ path }) => path), ...incomplete.map(({ path }) => path)],
      repositories: [],
      files: [...incomplete, ...blobs.flatMap(({ chain: { end } }) => (end.kind === 'file' ? [end] : []))],
      staying: remaining.flatMap(filesOf),
      arrivingBytes: repositories
        .flatMap((repository) => arrivingIn(repository, before))
        .reduce((sum, { bytes }) => sum + bytes, 0)
    },
    unused
  );
}

/** The contents of the shared store that no link leads to, and whose list of users names nobody who still might. */
export function unusedShared(
  { repositories, shared }: CacheContents,
  deletedBlobs: ReadonlySet<string>
): readonly SharedBlob[] {
  // A link may lie wherever nothing was seen.
  if (!repositories.every(({ isWhole }) => isWhole)) return [];
  const blobs = repositories.flatMap((repository) => repository.blobs);
  const used = new Set(
    blobs.filter(({ path }) => !deletedBlobs.has(path)).flatMap(({ chain: { targets } }) => targets)
  );
  const isGone = (user: string): boolean => deletedBlobs.has(user);
  return shared.filter(({ file, users }) => users?.every(isGone) && !used.has(file.path));
}

interface Deletion extends Omit<DeletionPlan, 'shared' | 'freedBytes' | 'keptBytes'> {
  /** Everything that is read through what is deleted. */
  readonly files: readonly FileOnDisk[];
  /** Everything that is still read through something else. */
  readonly staying: readonly FileOnDisk[];
}

function withShared(
  contents: CacheContents,
  deleted: readonly CachedBlob[],
  { files, staying, ...deletion }: Deletion,
  further: readonly SharedBlob[] = []
): DeletionPlan {
  const unused = unusedShared(contents, new Set(deleted.map(({ path }) => path)));
  const targets = new Set(deleted.flatMap(({ chain }) => chain.targets));
  const shared = unused.filter((blob) => targets.has(blob.file.path) || further.includes(blob));
  const gone = new Set(shared.map(({ file }) => file.path));
  // A content in the shared store goes only when it is planned to, one in the repository when nothing else reads it.
  const stays = new Set(staying.map(({ key }) => key));
  const isShared = new Set(contents.shared.map(({ file }) => file.path));
  const all = new Map([...files, ...shared.map(({ file }) => file)].map((file) => [file.key, file]));
  let [freedBytes, keptBytes] = [0, 0];
  const planned = new Set(deletion.blobs);
  for (const file of all.values()) {
    const isFreed = isShared.has(file.path)
      ? gone.has(file.path)
      : !stays.has(file.key) && isDeleted(file, planned, deletion);
    if (isFreed) freedBytes += file.bytes;
    else keptBytes += file.bytes;
  }
  return { ...deletion, shared: [...gone], freedBytes, keptBytes };
}

function isDeleted(
  { path }: FileOnDisk,
  blobs: ReadonlySet<string>,
  { snapshots, repositories }: Omit<Deletion, 'files' | 'staying'>
): boolean {
  return blobs.has(path) || [...snapshots, ...repositories].some((folder) => path.startsWith(join(folder, '/')));
}

function modifiedAt({ chain: { end } }: CachedBlob): number {
  return end.kind === 'file' ? end.modifiedAt : 0;
}
