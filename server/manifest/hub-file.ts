import { isHubName, parseSourceAddress } from '../../shared/source-address';

/** A file of a repository of the hub, as an address names it. */
export interface HubFile {
  readonly kind: 'hub';
  readonly owner: string;
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  readonly path: string;
}

/** The way to a file on the public hub itself: `/owner/repo/resolve/revision/path`. */
const RESOLVED = /^(https:\/\/huggingface\.co\/([^/?]+)\/([^/?]+)\/resolve\/)([^/?]+)(\/([^?]+))/;

/** The file of the hub that an address leads to, written as `hf:` or as on the hub; undefined for any other address. */
export function hubFileOf(url: string): HubFile | undefined {
  const address = parseSourceAddress(url);
  if (address.kind === 'hub') return address;
  if (address.kind !== 'http') return undefined;
  const [, , owner = '', repo = '', revision = '', , path = ''] = RESOLVED.exec(address.url) ?? [];
  if (!isHubName(owner) || !isHubName(repo)) return undefined;
  try {
    return { kind: 'hub', owner, repo, revision: decodeURIComponent(revision), path: decodeURIComponent(path) };
  } catch {
    return undefined;
  }
}

/** A commit of a repository, as the hub names it. */
const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a revision means the same for ever. */
export function isPinned({ revision }: Pick<HubFile, 'revision'>): boolean {
  return COMMIT.test(revision);
}

/**
 * The path of a file as addresses write it.
 * @returns undefined for a name with half a surrogate pair, which JSON can hold and no address can
 */
export function writtenPath(path: string): string | undefined {
  return /\p{Cs}/u.test(path) ? undefined : path.split('/').map(encodeURIComponent).join('/');
}

/** The same address with another revision. @param url one that {@link hubFileOf} understands */
export function withRevision(url: string, revision: string): string {
  const written = encodeURIComponent(revision);
  const named = /^(hf:[^/]+\/[^/@]+)(?:@[^/]*)?(\/.*)$/i.exec(url);
  if (named) return `${named[1]}@${written}${named[2]}`;
  const address = parseSourceAddress(url);
  const normalised = address.kind === 'http' ? address.url : url;
  return normalised.replace(
    RESOLVED,
    (_, host: string, _owner, _repo, _revision, path: string) => `${host}${written}${path}`
  );
}
