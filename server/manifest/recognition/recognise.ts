import type { Node } from 'jsonc-parser';
import { ROLES } from '../../../shared/roles';
import { fileEntries } from '../files';
import { type ManifestDocument, stringOf } from '../text/document';
import type { Dialect } from './dialect';
import { schemaMark } from './schema-mark';

/** What is known about a document besides its text. */
export interface DocumentContext {
  /** URI or path; only its segments matter. */
  readonly path: string;
  readonly liesInCacheRoot: boolean;
  /** Whether the setting `diffusionDock.manifest.include` names it. */
  readonly matchesInclude: boolean;
  /** The pattern of the setting `diffusionDock.manifest.exclude` that names it. */
  readonly excludedBy?: string | undefined;
  /** What it was before the last edit; undefined when it was no manifest or was not seen yet. */
  readonly previous: Dialect | undefined;
}

/** What a document is, and the rule that decided. */
export type Recognition =
  | {
      readonly dialect: Dialect;
      /**
       * `schema`: it declares our `$schema`. `entries`: its files look like ours. `cache`: it lies in the cache.
       * `previous`: it was one before. `include`: the setting names it.
       */
      readonly rule: 'schema' | 'entries' | 'cache' | 'previous' | 'include';
    }
  | { readonly dialect: undefined; readonly rule: 'excluded'; readonly pattern: string }
  /** It declares a `$schema` that is not ours. */
  | { readonly dialect: undefined; readonly rule: 'other-schema' }
  /** It has a field of other documents that are called `manifest.json`. */
  | { readonly dialect: undefined; readonly rule: 'other-field'; readonly field: string }
  /** Nothing speaks for it. */
  | { readonly dialect: undefined; readonly rule: 'no-sign' };

/** Tells whether a document is a model manifest, and of which dialect; see {@link recognition}. */
export function recognise(document: ManifestDocument, context: DocumentContext): Dialect | undefined {
  return recognition(document, context).dialect;
}

/**
 * Tells what a document is and why. `manifest.json` is a common name: what has neither our `$schema`, nor entries of
 * our shape, nor a place that speaks for it, is somebody else's.
 */
export function recognition(document: ManifestDocument, context: DocumentContext): Recognition {
  const { excludedBy, previous } = context;
  if (excludedBy !== undefined) return { dialect: undefined, rule: 'excluded', pattern: excludedBy };
  const marked = schemaMark(document)?.dialect;
  if (marked) return { dialect: marked, rule: 'schema' };
  const shaped = dialectByShape(document);
  if (shaped) return { dialect: shaped, rule: 'entries' };
  if (context.liesInCacheRoot && /(^|[/\\])manifest\.json$/.test(context.path)) {
    return { dialect: dialectInCache(context.path), rule: 'cache' };
  }
  if (stringOf(document.nodeAt(['$schema'])) !== undefined) return { dialect: undefined, rule: 'other-schema' };
  const field = FOREIGN_FIELDS.find((name) => document.nodeAt([name]) !== undefined);
  if (field !== undefined) return { dialect: undefined, rule: 'other-field', field };
  if (previous) return { dialect: previous, rule: 'previous' };
  if (!context.matchesInclude) return { dialect: undefined, rule: 'no-sign' };
  return { dialect: entryHas(document, ARTIFACT_FIELDS) ? 'artifact' : 'source', rule: 'include' };
}

/** By the entries of `files` alone; one good entry is enough, so that the others can be judged. */
function dialectByShape(document: ManifestDocument): Dialect | undefined {
  if (fileEntries(document).some((entry) => isSourceEntry(document, entry))) return 'source';
  const wasInstalled = INSTALLED_MARKS.some((name) => document.nodeAt([name]));
  return wasInstalled && entryHas(document, INSTALLED_FIELDS) ? 'installed' : undefined;
}

const SOURCE_FIELDS = ['role', 'url', 'filename'];
const INSTALLED_FIELDS = ['path', 'sha256', 'size_bytes'];
const ARTIFACT_FIELDS = ['name', 'sha256'];

/** Lists of paths, digests and sizes are common; only ours come with these. */
const INSTALLED_MARKS = ['installed_at_unix_ms', 'total_size_bytes'];

const roles: ReadonlySet<unknown> = new Set(ROLES);

/** All three fields, or two where a known role or our engine leaves no doubt: one may be missing or misspelled. */
function isSourceEntry(document: ManifestDocument, entry: Node): boolean {
  const fields = document.fieldsOf(entry);
  const present = SOURCE_FIELDS.filter((name) => fields.has(name)).length;
  if (present !== 2) return present === 3;
  if (stringOf(document.nodeAt(['engine'])) === 'sd-cpp') return true;
  return roles.has(stringOf(fields.get('role')?.value)) && document.nodeAt(['name']) !== undefined;
}

function entryHas(document: ManifestDocument, names: readonly string[]): boolean {
  return fileEntries(document).some((entry) => names.every((name) => document.fieldsOf(entry).has(name)));
}

/** `fetched/` holds bundles of team stores, everything else was installed by us. */
function dialectInCache(path: string): Dialect {
  return /[/\\]fetched[/\\][^/\\]+[/\\]manifest\.json$/.test(path) ? 'artifact' : 'installed';
}

/**
 * Fields of other documents that are called `manifest.json` or caught by a wide `include`: web apps, browser
 * extensions and themes, packages and their locks, editor extensions, asset lists, container images, pipelines.
 */
const FOREIGN_FIELDS = [
  'manifest_version',
  'start_url',
  'short_name',
  'icons',
  'background_color',
  'dependencies',
  'devDependencies',
  'lockfileVersion',
  'engines',
  'contributes',
  'entrypoints',
  'schemaVersion',
  'mediaType',
  '_class_name'
];
