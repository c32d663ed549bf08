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

interface CompiledPatterns {
  readonly folder: string;
  readonly include: readonly Minimatch[];
  readonly exclude: readonly Minimatch[];
}

/** The documents that the user's own patterns name. */
export class ManifestPatterns {
  private readonly folders: readonly CompiledPatterns[];

  constructor(folders: readonly FolderPatterns[]) {
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

function compiled(patterns: readonly string[]): Minimatch[] {
  const options = { dot: true, nonegate: true, nocomment: true, noext: true, braceExpandMax: MOST_ALTERNATIVES };
  return patterns
    .filter((pattern) => pattern !== '' && pattern.length <= LONGEST_PATTERN)
    .map((pattern) => new Minimatch(pattern, options));
}
