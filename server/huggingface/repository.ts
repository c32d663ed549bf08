import { isHubName } from '../../shared/source-address';

/** What kinds of repositories the hub has, with the first word of their folders in the cache. */
const FOLDER_WORDS = { model: 'models', dataset: 'datasets', space: 'spaces' } as const;

export type RepositoryKind = keyof typeof FOLDER_WORDS;

const KINDS: readonly RepositoryKind[] = ['model', 'dataset', 'space'];

/** A repository of the hub. */
export interface RepositoryId {
  readonly kind: RepositoryKind;
  /** `owner/repo`, or `repo` alone for the hub's oldest models. */
  readonly name: string;
}

/** A repository as people name it, with the revision when they name one. */
export interface RepositoryReference {
  readonly repository: RepositoryId;
  /** Branch, tag, pull request or (the beginning of) a commit. */
  readonly revision?: string;
}

/** Whether a folder of the cache means to hold a repository. */
export function looksLikeRepositoryFolder(name: string): boolean {
  return KINDS.some((kind) => name.startsWith(`${FOLDER_WORDS[kind]}--`));
}

/** Reads `models--owner--repo`; undefined for any other name. */
export function parseRepositoryFolder(folder: string): RepositoryId | undefined {
  const [word, ...segments] = folder.split('--');
  const kind = KINDS.find((candidate) => FOLDER_WORDS[candidate] === word);
  return kind && repositoryOf(kind, segments);
}

/** How people name a repository: `hf:owner/repo`, `hf:datasets/owner/repo`. */
export function referenceText(repository: RepositoryId): string {
  return `hf:${hubPath(repository)}`;
}

/** Path of a repository on the hub: `owner/repo`, `datasets/owner/repo`. */
export function hubPath({ kind, name }: RepositoryId): string {
  return kind === 'model' ? name : `${FOLDER_WORDS[kind]}/${name}`;
}

/** Reads `hf:[datasets/|spaces/][owner/]repo[@revision]`; undefined for any other text. */
export function parseRepositoryReference(text: string): RepositoryReference | undefined {
  const [, path = '', revision] = /^hf:([^@]*)(?:@(.+))?$/.exec(text) ?? [];
  const [first = '', ...rest] = path.split('/');
  const kind = KINDS.find((candidate) => candidate !== 'model' && FOLDER_WORDS[candidate] === first);
  const repository = kind ? repositoryOf(kind, rest) : repositoryOf('model', [first, ...rest]);
  return repository && { repository, ...(revision !== undefined && { revision }) };
}

function repositoryOf(kind: RepositoryKind, segments: readonly string[]): RepositoryId | undefined {
  const isNamed = (segments.length === 1 || segments.length === 2) && segments.every(isHubName);
  return isNamed ? { kind, name: segments.join('/') } : undefined;
}
