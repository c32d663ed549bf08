import { isHubName } from '../../shared/source-address';

/** A revision of a model repository of the hub, or a part of it, as people name it. */
export interface HubReference {
  readonly owner: string;
  readonly repo: string;
  /** `main` when nobody names another. */
  readonly revision: string;
  /** A file or folder of the repository; undefined for all of it. */
  readonly path: string | undefined;
}

const NAMED = /^(?:hf:)?([^/@:]+)\/([^/@:]+)(?:@([^/]+))?(?:\/(.+?))?\/?$/;
const PAGE =
  /^https:\/\/huggingface\.co\/([^/?#]+)\/([^/?#]+)(?:\/(?:tree|blob|resolve)\/([^/?#]+)(?:\/([^?#]+?))?)?\/?(?:[?#].*)?$/;

/**
 * Reads `[hf:]owner/repo[@revision][/path]`, or the address of a repository's page.
 * @returns undefined for any other text
 */
export function parseHubReference(text: string): HubReference | undefined {
  const [, owner = '', repo = '', revision, path] = PAGE.exec(text) ?? NAMED.exec(text) ?? [];
  // Half a surrogate pair can be in no address.
  if (!isHubName(owner) || !isHubName(repo) || /\p{Cs}/u.test(text)) return undefined;
  try {
    const decoded = path === undefined ? undefined : decodeURIComponent(path);
    return { owner, repo, revision: decodeURIComponent(revision ?? 'main'), path: decoded };
  } catch {
    return undefined;
  }
}
