import { lstat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isErrorWithCode } from '../../platform/system-error';
import type { RepositoryId } from '../repository';
import { readRevisionTree } from '../revision-tree';
import {
  type CachedBlob,
  type CachedFile,
  type CachedRef,
  type CachedRepository,
  type CachedRevision,
  type RepositoryPlaces,
  repositoryPlaces
} from './cache-contents';
import type { FileOnDisk, LinkFollower } from './follow-links';
import { filesBelow, forEachBounded, ProblemList, readEntries } from './read-folder';
import { readRefs } from './read-refs';

/** Where a repository is read from, and with what. */
export interface RepositoryReading {
  /** The cache, absolute and without links. */
  readonly root: string;
  readonly follower: LinkFollower;
}

/** Reads all of a cached repository. Nothing that is broken in it fails the reading; it is listed with a reason. */
export async function readRepository(
  id: RepositoryId,
  folder: string,
  { root, follower }: RepositoryReading
): Promise<CachedRepository> {
  const problems = new ProblemList(root);
  const places = repositoryPlaces(folder);
  const reader = new RepositoryReader(places, follower, problems);
  const refs = await readRefs(places.refs, problems);
  const { blobs, incomplete } = await reader.readBlobs();
  const revisions = await reader.readRevisions(refs);
  for (const { name, path, commit } of refs) {
    if (commit === undefined || revisions.some((revision) => revision.commit === commit)) continue;
    problems.add(path, `The ref ${name} leads to a revision that is not here.`);
  }
  return { id, places, revisions, refs, blobs, incomplete, problems: problems.found, isWhole: reader.isWhole };
}

/** `<etag>.incomplete` of older and other downloaders, `<etag>.<8 hex>.incomplete` since huggingface_hub 1.18. */
function isIncomplete(name: string): boolean {
  return name.endsWith('.incomplete');
}

/** A link of that name is a leftover too, but what it leads to is not. */
function unfinished({ path, chain: { targets, end } }: CachedBlob): FileOnDisk {
  if (end.kind === 'file' && targets.length === 0) return end;
  return { path, bytes: 0, key: path, modifiedAt: 0, accessedAt: 0 };
}

class RepositoryReader {
  /** Whether everything could be read so far. */
  isWhole = true;

  constructor(
    private readonly places: RepositoryPlaces,
    private readonly follower: LinkFollower,
    private readonly problems: ProblemList
  ) {}

  async readBlobs(): Promise<{ blobs: CachedBlob[]; incomplete: FileOnDisk[] }> {
    const names = (await this.realFolder(this.places.blobs)) ? await this.entries(this.places.blobs) : [];
    const blobs = await forEachBounded(names, async (name): Promise<CachedBlob> => {
      const path = join(this.places.blobs, name);
      return { name, path, chain: await this.follower.follow(path) };
    });
    const incomplete = blobs.filter(({ name }) => isIncomplete(name)).map(unfinished);
    return { blobs: blobs.filter(({ name }) => !isIncomplete(name)), incomplete };
  }

  async readRevisions(refs: readonly CachedRef[]): Promise<CachedRevision[]> {
    if (!(await this.realFolder(this.places.snapshots))) return [];
    const revisions: CachedRevision[] = [];
    for (const commit of await this.entries(this.places.snapshots)) {
      const folder = join(this.places.snapshots, commit);
      if (!(await this.realFolder(folder))) continue;
      const names = refs.filter((ref) => ref.commit === commit).map(({ name }) => name);
      revisions.push(await this.readRevision(commit, folder, names));
    }
    return revisions;
  }

  private async readRevision(commit: string, folder: string, refs: readonly string[]): Promise<CachedRevision> {
    const { paths, isWhole } = await filesBelow(folder, this.problems);
    this.isWhole &&= isWhole;
    const files = await forEachBounded(paths, async (pointer): Promise<CachedFile> => {
      const path = relative(folder, pointer).split(sep).join('/');
      return { path, pointer, chain: await this.follower.follow(pointer) };
    });
    const tree = await readRevisionTree(join(this.places.trees, `${commit}.json`));
    if (typeof tree === 'string') this.problems.add(join(this.places.trees, `${commit}.json`), tree);
    return {
      commit,
      folder,
      refs,
      modifiedAt: await modifiedAt(folder),
      files,
      ...(tree !== undefined && typeof tree !== 'string' && { tree })
    };
  }

  private async entries(folder: string): Promise<readonly string[]> {
    const entries = await readEntries(folder, this.problems);
    this.isWhole &&= entries !== undefined;
    return entries?.map(({ name }) => name) ?? [];
  }

  /** A link in a folder's place would lead the whole reading, and what is written later, elsewhere. */
  private async realFolder(path: string): Promise<boolean> {
    try {
      const found = await lstat(path);
      if (found.isDirectory()) return true;
      this.problems.add(path, found.isSymbolicLink() ? 'This is a link, not a folder.' : 'This is no folder.');
      this.isWhole = false;
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EIO')) throw error;
      if (!isErrorWithCode(error, 'ENOENT')) this.isWhole = false;
    }
    return false;
  }
}

async function modifiedAt(folder: string): Promise<number> {
  try {
    return (await lstat(folder)).mtimeMs;
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT', 'EACCES')) throw error;
    return 0;
  }
}
