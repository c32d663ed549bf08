import type { Node } from 'jsonc-parser';
import type { ManifestDiagnostic } from '../diagnostic';
import { type ManifestDocument, stringOf } from '../document';
import { fileEntries } from '../files';
import { hubFileOf, isPinned } from '../hub-file';

/** Where facts about a file are kept, besides the hub; only the disk is asked for them. */
export type LocalPlace = 'installed' | 'hub-cache' | 'beside';

/** What a fix has to find out before it can be made. */
export type Errand =
  /** The commit that a branch or tag means. */
  { readonly kind: 'pin' } | { readonly kind: 'fill'; readonly from: 'hub' | LocalPlace };

/** A fix that takes more than the text. */
export interface FixElsewhere {
  /** An imperative, for menus. */
  readonly title: string;
  readonly errand: Errand;
  /** Indexes of the entries that it is for. */
  readonly entries: readonly number[];
}

/** A file that facts are wanted of, as its entry names it. */
export interface WrittenFile {
  readonly url: string;
  readonly filename: string | undefined;
}

/** A place of this machine that knows a file, and what that is worth. */
export interface KnownLocally {
  readonly place: LocalPlace;
  /** What choosing it does, an imperative. */
  readonly title: string;
}

/** Codes of findings that a digest mends. */
const DIGEST_CODES: ReadonlySet<string> = new Set(['missing-digest', 'placeholder-digest', 'bad-digest']);

/**
 * The fixes of a finding that need to know more than the text; nothing is asked for yet.
 * @param locally tells, by looks at the disk alone, what this machine knows of a file
 */
export async function fixesElsewhere(
  document: ManifestDocument,
  { code, start, end }: ManifestDiagnostic,
  locally: (file: WrittenFile) => Promise<readonly KnownLocally[]>
): Promise<FixElsewhere[]> {
  // What was read behind a syntax error is a guess.
  if (document.syntaxError && end > document.syntaxError.offset) return [];
  const entries = fileEntries(document);
  const index = entries.findIndex((entry) => entry.offset <= start && start < entry.offset + entry.length);
  const entry = entries[index];
  const file = fileAt(document, entry);
  if (!file) return [];
  // A branch and a digest that is not there are one mistake, with one row.
  const isUnpinned = code === 'unpinned-revision';
  const lacksDigest = isUnpinned && entry !== undefined && !document.fieldsOf(entry).has('sha256');
  const pinned = isUnpinned ? pins(document, entries, index) : [];
  if (!lacksDigest && !DIGEST_CODES.has(code)) return pinned;
  const here = await locally(file);
  return [
    ...pinned,
    ...fillsFromHub(document, entries, index),
    ...here.map(({ place, title }): FixElsewhere => {
      return { title, errand: { kind: 'fill', from: place }, entries: [index] };
    })
  ];
}

/** The file that an entry names; undefined without an address. */
export function fileAt(document: ManifestDocument, entry: Node | undefined): WrittenFile | undefined {
  const fields = entry && document.fieldsOf(entry);
  const url = stringOf(fields?.get('url')?.value);
  return url === undefined ? undefined : { url, filename: stringOf(fields?.get('filename')?.value) };
}

function pins(document: ManifestDocument, entries: readonly Node[], index: number): FixElsewhere[] {
  const revision = hubFileAt(document, entries[index])?.revision;
  const others = entries.flatMap((entry, at) => {
    const file = hubFileAt(document, entry);
    return file && !isPinned(file) ? [at] : [];
  });
  const errand = { kind: 'pin' } as const;
  const one = { title: `Ask the hub which commit “${revision}” is, and name it`, errand, entries: [index] };
  if (revision === undefined) return [];
  if (others.length < 2) return [one];
  return [
    one,
    { title: `Ask the hub for the commits of all ${others.length} files, and name them`, errand, entries: others }
  ];
}

function fillsFromHub(document: ManifestDocument, entries: readonly Node[], index: number): FixElsewhere[] {
  if (!hubFileAt(document, entries[index])) return [];
  const errand = { kind: 'fill', from: 'hub' } as const;
  const one = { title: 'Ask the hub for “sha256” and “size_bytes”, and write them', errand, entries: [index] };
  const lacking = entries.flatMap((entry, at) => {
    return hubFileAt(document, entry) && !document.fieldsOf(entry).has('sha256') ? [at] : [];
  });
  if (lacking.length < 2) return [one];
  const title = `Ask the hub for “sha256” and “size_bytes” of all ${lacking.length} files that lack them, and write them`;
  return [one, { title, errand, entries: lacking }];
}

function hubFileAt(document: ManifestDocument, entry: Node | undefined): ReturnType<typeof hubFileOf> {
  const file = fileAt(document, entry);
  return file && hubFileOf(file.url);
}
