import { hasInvisibleCharacter } from './file-name';
import { hostReach } from './host-reach';

/**
 * The WHATWG parser of Node and browsers, declared as far as it is used: shared code is compiled without the types
 * of either. It is the parser that connections are made with, so `0x7f.1` cannot mean two hosts.
 */
declare class URL {
  constructor(text: string);
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly origin: string;
  readonly host: string;
  readonly hostname: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}

/** Where a file comes from. Only its form is checked here: nothing is resolved, opened or connected to. */
export type SourceAddress =
  | {
      readonly kind: 'http';
      /** Normalised by the WHATWG rules, without a fragment. May hold a signed query: never log it whole. */
      readonly url: string;
      /** Host and, unless it is the scheme's own, port. */
      readonly host: string;
      readonly secure: boolean;
      /** Whether the host is this machine by its name or number. */
      readonly loopback: boolean;
    }
  | {
      readonly kind: 'hub';
      readonly owner: string;
      readonly repo: string;
      /** Branch, tag or commit, decoded; `main` when the address names none. */
      readonly revision: string;
      /** Path in the repository, decoded, with `/`; no segment is empty, `.` or `..`. */
      readonly path: string;
    }
  /** Absolute path with `/`, decoded; begins with the drive (`C:/…`) when the address names one. */
  | { readonly kind: 'file'; readonly path: string }
  /** Path with `/`, relative to the manifest's folder, taken literally (nothing is decoded). May climb with `..`. */
  | { readonly kind: 'relative'; readonly path: string }
  | { readonly kind: 'store'; readonly scheme: 's3' | 'r2'; readonly bucket: string; readonly key: string }
  | RefusedAddress;

export interface RefusedAddress {
  readonly kind: 'refused';
  /** A predicate for a sentence about the address, with what to write instead; never repeats a secret. */
  readonly reason: string;
  /** The address that was meant, when that is certain. */
  readonly instead?: string;
}

/** Reads an address as manifests write it. Never throws; what it does not understand is `refused`. */
export function parseSourceAddress(text: string): SourceAddress {
  if (text === '') return refused('is empty');
  if (text !== text.trim()) return refused('begins or ends with white space');
  if (hasInvisibleCharacter(text)) return refused('contains an invisible or control character');
  if (text.includes('\\')) return refused('contains a backslash; separate folders with “/”');
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return relativeAddress(text);
  const rest = text.slice(scheme.length + 1);
  if (scheme.length === 1) return refused(`begins with a Windows drive; write “file:///${scheme.toUpperCase()}:/…”`);
  if (scheme !== 'hf' && /\s/.test(text)) return refused('contains white space; write “%20” for a space');
  switch (scheme) {
    case 'https':
    case 'http':
      return webAddress(text, rest);
    case 'hf':
      return hubAddress(rest);
    case 'file':
      return fileAddress(text, rest);
    case 's3':
    case 'r2':
      return storeAddress(scheme, rest);
    default:
      return refused('has a scheme that nothing can be pulled from; use “https:”, “hf:”, “file:”, “s3:” or “r2:”');
  }
}

/** Names of query parameters that hold a key or a signature: whoever has the address has the access. */
const SECRET_PARAMETER =
  /^(x-amz-(signature|credential|security-token)|x-goog-(signature|credential)|signature|sig|(access[_-]?|auth[_-]?)?token|api[_-]?key|password|secret|authorization)$/i;

/**
 * The name of the query parameter through which a web address carries a secret; undefined when it carries none.
 * Separate from {@link parseSourceAddress} because redirects lawfully lead to signed addresses, and manifests do not.
 */
export function secretParameterOf(text: string): string | undefined {
  if (!/^https?:/i.test(text)) return undefined;
  const [, query] = /\?([^#]*)/.exec(text) ?? [];
  if (query === undefined) return undefined;
  const names = query.split('&').map((pair) => decoded(pair.split('=', 1)[0] ?? '') ?? '');
  return names.find((name) => SECRET_PARAMETER.test(name));
}

function webAddress(text: string, rest: string): SourceAddress {
  if (!/^\/\/[^/?#]/.test(rest)) return refused('has no host; write “https://host/path”');
  if (/^\/\/[^/?#]*@/.test(rest)) {
    return refused('contains a user name or password; name a stored credential with “credential_alias” instead');
  }
  const url = parsedUrl(text);
  if (!url) return refused('is not a valid URL; check the host and the port');
  const reach = hostReach(url.hostname);
  if (reach === 'link-local') return refused('leads to a link-local host, which models are never pulled from');
  if (reach === 'unspecified') return refused('leads to no host in particular; write “127.0.0.1” for this machine');
  const page = pageAddress(url);
  if (page) return page;
  return {
    kind: 'http',
    url: `${url.origin}${url.pathname}${url.search}`,
    host: url.host,
    secure: url.protocol === 'https:',
    loopback: reach === 'loopback'
  };
}

/** A web page about a file is not the file: hub and GitHub pages answer with HTML. */
function pageAddress(url: URL): RefusedAddress | undefined {
  const site = url.hostname.replace(/^www\./, '');
  const raw = site === 'github.com' ? 'raw' : site === 'huggingface.co' || site === 'hf.co' ? 'resolve' : undefined;
  if (raw === undefined) return undefined;
  const [, owner, repo, view, ...rest] = url.pathname.split('/');
  if (view !== 'blob' && view !== 'tree') return undefined;
  if (view === 'tree') return refused('is the page of a folder; give the address of one file');
  const instead = `${url.origin}/${owner}/${repo}/${raw}/${rest.join('/')}`;
  return { ...refused(`is the page about a file, not the file; write “/${raw}/” instead of “/blob/”`), instead };
}

/** `owner/repo[@revision]/path`; revision and path are percent-encoded where they need it. */
function hubAddress(rest: string): SourceAddress {
  if (rest.startsWith('/')) return refused('has too many slashes; write “hf:owner/repo/path”');
  if (/[?#]/.test(rest)) return refused('contains “?” or “#”; write “%3F” or “%23”');
  const [owner = '', repository = '', ...segments] = rest.split('/');
  if (owner === 'datasets' || owner === 'spaces')
    return refused('names no model repository; write “hf:owner/repo/path”');
  const at = repository.indexOf('@');
  const repo = at === -1 ? repository : repository.slice(0, at);
  const revision = at === -1 ? 'main' : decodedPath(repository.slice(at + 1).replaceAll(/%2f/gi, '/'));
  if (!isHubName(owner) || !isHubName(repo)) return refused('names no repository; write “hf:owner/repo/path”');
  if (revision === undefined) return refused('names no valid revision; write a branch, tag or commit after “@”');
  if (segments.length === 0) return refused('names no file; write “hf:owner/repo/path”');
  const path = decodedPath(segments.join('/'));
  if (path === undefined) return refused('has a path with an empty, “.” or “..” segment or a wrong “%” sequence');
  return { kind: 'hub', owner, repo, revision, path };
}

/** The hub's own rule for names of users and repositories. */
export function isHubName(name: string): boolean {
  return /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_-])?$/.test(name) && !/--|\.\./.test(name);
}

function fileAddress(text: string, rest: string): SourceAddress {
  if (/^\/\/[^/]/.test(rest) && !/^\/\/localhost\//i.test(rest)) {
    return refused('leads to another host; write “file:///path” for a file of this machine');
  }
  if (!rest.startsWith('/'))
    return refused('is not absolute; write “file:///path”, or a relative path without “file:”');
  if (/[?#]/.test(rest)) return refused('contains “?” or “#”; write “%3F” or “%23”');
  const url = parsedUrl(text);
  const path = decodedPath(url?.pathname.replace(/^\//, '') ?? '');
  if (path === undefined) return refused('has a path with an empty segment or a wrong “%” sequence');
  return { kind: 'file', path: /^[A-Za-z]:\//.test(path) ? path : `/${path}` };
}

function storeAddress(scheme: 's3' | 'r2', rest: string): SourceAddress {
  const [, bucket = '', key = ''] = /^\/\/([^/]*)\/(.+)$/.exec(rest) ?? [];
  if (bucket.includes('@')) return refused('contains a user name or password; remove it');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || key === '') {
    return refused(`names no object; write “${scheme}://bucket/key”`);
  }
  if (!key.split('/').every(isPlainSegment)) return refused('has a key with an empty, “.” or “..” segment');
  return { kind: 'store', scheme, bucket, key };
}

function relativeAddress(text: string): SourceAddress {
  if (text.startsWith('//')) return refused('begins with “//”; write “https://” in front of the host');
  if (text.startsWith('/')) return refused('is an absolute path; write it relative to the manifest, or “file:///path”');
  if (text.startsWith('~')) return refused('begins with “~”, which only shells understand; write “file:///path”');
  if (text.includes(':')) return refused('contains a colon, which is no part of a file name everywhere');
  const segments = text.split('/');
  if (segments.some((segment) => segment === '') || /(^|\/)\.{1,2}$/.test(text)) return refused('names no file');
  return { kind: 'relative', path: text };
}

/** Decodes a path segment by segment; undefined when a segment is not a plain name afterwards. */
function decodedPath(path: string): string | undefined {
  const segments = path.split('/').map(decoded);
  return segments.every((segment) => segment !== undefined && isPlainSegment(segment)) ? segments.join('/') : undefined;
}

function isPlainSegment(segment: string): boolean {
  return !['', '.', '..'].includes(segment) && !/[/\\]/.test(segment) && !hasInvisibleCharacter(segment);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function refused(reason: string): RefusedAddress {
  return { kind: 'refused', reason };
}
