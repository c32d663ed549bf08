import { isAbsolute, relative, sep } from 'node:path';
import { Minimatch } from 'minimatch';

/** Glob patterns that hold in one folder of the workspace; `*`, `**`, `?`, `[…]` and `{…}` as in other settings. */
export interface FolderPatterns {
  /** Absolute path. */
  readonly folder: string;
  /** Manifests whatever they are called and hold. */
  readonly include: readonly string[];
  /** No manifests, whatever they are called and hold; these win. */
  readonly exclude: readonly string[];
}

/** Longer patterns are nobody's, and those with more alternatives take long to match. */
const LONGEST_PATTERN = 1000;
const MOST_ALTERNATIVES = 1000;
/** In one segment of a path: every further one multiplies the time of a match by the length of the segment. */
const MOST_STARS = 3;

interface CompiledPatterns {
  readonly folder: string;
  readonly include: readonly Minimatch[];
  readonly exclude: readonly Minimatch[];
}

/** The documents that the user's own patterns name. */
export class ManifestPatterns {
  private readonly folders: readonly CompiledPatterns[];

  /** @param onRefused hears of every pattern that is not used, for matching it could take for ever */
  constructor(folders: readonly FolderPatterns[], onRefused: (pattern: string) => void) {
    const compiled = (patterns: readonly string[]): Minimatch[] =>
      patterns.flatMap((pattern) => {
        const matcher = compile(pattern);
        if (!matcher) onRefused(pattern);
        return matcher ?? [];
      });
    this.folders = folders.map(({ folder, include, exclude }) => ({
      folder,
      include: compiled(include),
      exclude: compiled(exclude)
    }));
  }

  /** The pattern that names a file as a manifest. @param path absolute */
  including(path: string): string | undefined {
    return this.find(path, ({ include }) => include);
  }

  /** The pattern that names a file as none. @param path absolute */
  excluding(path: string): string | undefined {
    return this.find(path, ({ exclude }) => exclude);
  }

  private find(path: string, of: (patterns: CompiledPatterns) => readonly Minimatch[]): string | undefined {
    for (const patterns of this.folders) {
      const way = relative(patterns.folder, path);
      if (way === '' || way.startsWith('..') || isAbsolute(way)) continue;
      const match = of(patterns).find((pattern) => pattern.match(way.replaceAll(sep, '/')));
      if (match) return match.pattern;
    }
    return undefined;
  }
}

/** Without the patterns of extended globs, which can nest. */
const OPTIONS = { dot: true, nonegate: true, nocomment: true, noext: true, braceExpandMax: MOST_ALTERNATIVES };

/** @returns undefined for a pattern that is not used */
function compile(pattern: string): Minimatch | undefined {
  if (pattern === '' || pattern.length > LONGEST_PATTERN) return undefined;
  const matcher = new Minimatch(pattern, OPTIONS);
  const isQuick = matcher.globParts.flat().every((part) => part === '**' || part.split('*').length <= MOST_STARS + 1);
  return isQuick ? matcher : undefined;
}
