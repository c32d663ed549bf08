import { Failure } from '../../../shared/failure';
import type { HubCacheListing } from '../../../shared/hub-cache';
import type { CacheContents, CachedRepository, CachedRevision } from '../../huggingface/cache/cache-contents';
import { describeCache } from '../../huggingface/cache/describe-cache';
import { readCache } from '../../huggingface/cache/read-cache';
import { hubCacheFolder } from '../../huggingface/hub-folders';
import { parseRepositoryReference, type RepositoryReference, referenceText } from '../../huggingface/repository';
import type { Services } from '../services';

type Parts = Pick<Services, 'environment'>;

/** A repository of the cache, and those of its revisions that are meant. */
export interface CachedSelection {
  readonly repository: CachedRepository;
  readonly revisions: readonly CachedRevision[];
  /** Whether one revision was named. */
  readonly isOneRevision: boolean;
}

/** What the hub's cache holds; an empty list when there is none. @throws Failure when it cannot be read */
export async function listHubCache({ environment }: Parts): Promise<HubCacheListing> {
  const folder = hubCacheFolder(environment);
  const contents = await readCache(folder);
  if (contents) return describeCache(contents, environment['HF_ENDPOINT']);
  return { folder, exists: false, bytes: 0, repositories: [], unreferenced: [], problems: [] };
}

/** Reads the hub's cache to work on it. @throws Failure('not-cached') when there is none */
export async function openHubCache({ environment }: Parts): Promise<CacheContents> {
  const folder = hubCacheFolder(environment);
  const contents = await readCache(folder);
  if (contents) return contents;
  throw new Failure('not-cached', 'There is no Hugging Face cache.', {
    subject: folder,
    nextStep: 'If it lies elsewhere, name it with HF_HUB_CACHE or HF_HOME.'
  });
}

/** Finds what references name; without any, all of the cache. @throws Failure */
export function selectCached(contents: CacheContents, references: readonly string[]): readonly CachedSelection[] {
  if (references.length > 0) return references.map((reference) => findCached(contents, reference));
  return contents.repositories.map((repository) => ({
    repository,
    revisions: repository.revisions,
    isOneRevision: false
  }));
}

/** @throws Failure('wrong-usage'), Failure('not-cached') */
export function findCached({ root, repositories }: CacheContents, text: string): CachedSelection {
  const reference = parseRepositoryReference(text);
  if (!reference) {
    throw new Failure('wrong-usage', `"${text}" names no repository of the hub.`, {
      subject: text,
      nextStep: 'Write hf:owner/repo, hf:owner/repo@revision or hf:datasets/owner/repo.'
    });
  }
  const { kind, name } = reference.repository;
  const repository = repositories.find(({ id }) => id.kind === kind && id.name === name);
  if (!repository) throw notCached(text, root);
  if (reference.revision === undefined) return { repository, revisions: repository.revisions, isOneRevision: false };
  return { repository, revisions: [findRevision(repository, reference, reference.revision)], isOneRevision: true };
}

/** Fewer digits of a commit may mean many. */
const SHORTEST_COMMIT = 7;

function findRevision(
  { revisions, refs }: CachedRepository,
  { repository }: RepositoryReference,
  text: string
): CachedRevision {
  const commit = refs.find(({ name }) => name === text)?.commit ?? text;
  const isPrefix = (revision: CachedRevision): boolean =>
    commit.length >= SHORTEST_COMMIT && revision.commit.startsWith(commit);
  const [match, ...others] = revisions.filter((revision) => revision.commit === commit || isPrefix(revision));
  if (match && others.length === 0) return match;
  const known = revisions.map((revision) => revision.refs[0] ?? revision.commit.slice(0, SHORTEST_COMMIT));
  throw new Failure('not-cached', `The cache holds no revision ${text} of ${referenceText(repository)}.`, {
    subject: text,
    ...(known.length > 0 && { nextStep: `It holds: ${known.join(', ')}.` })
  });
}

function notCached(text: string, root: string): Failure {
  return new Failure('not-cached', `${text} is not in the Hugging Face cache.`, {
    subject: root,
    nextStep: '"diffusion-dock list --huggingface" tells what is.'
  });
}
