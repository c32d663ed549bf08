import type { Node } from 'jsonc-parser';
import type { ManifestDiagnostic } from '../diagnostic';
import { entryIndexAt, fileEntries } from '../files';
import { type HubFile, hubFileOf, isPinned } from '../hub-file';
import { type ManifestDocument, stringOf } from '../text/document';

/** Where facts about a file are kept, besides the hub; only the disk is asked for them. */
export type LocalPlace = 'installed' | 'hub-cache' | 'beside';

/** What a fix has to find out before it can be made. */
export type Errand =
  /** The commit that a branch or tag means. */
  { readonly kind: 'pin' } | { readonly kind: 'fill'; readonly from: 'hub' | LocalPlace };

/** The entries that a fix is for: one of them by its index, or all that need it. */
export type WantedEntries = number | 'all';

/** A fix that takes more than the text. */
export interface FixElsewhere {
  /** An imperative, for menus. */
  readonly title: string;
  readonly errand: Errand;
  readonly entries: WantedEntries;
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

/** The fixes of one manifest's findings that need to know more than the text; nothing is asked for yet. */
export class FixesElsewhere {
  private readonly counts = new Map<Errand['kind'], number>();

  /** @param locally tells, by looks at the disk alone, what this machine knows of a file */
  constructor(
    private readonly document: ManifestDocument,
    private readonly locally: (file: WrittenFile) => Promise<readonly KnownLocally[]>
  ) {}

  async of({ code, start, end }: ManifestDiagnostic): Promise<FixElsewhere[]> {
    const { document } = this;
    // What was read behind a syntax error is a guess.
    if (document.syntaxError && end > document.syntaxError.offset) return [];
    const index = entryIndexAt(document, start);
    const entry = index === undefined ? undefined : fileEntries(document)[index];
    const file = fileAt(document, entry);
    if (!file || !entry || index === undefined) return [];
    // A branch and a digest that is not there are one mistake, with one row.
    const isUnpinned = code === 'unpinned-revision';
    const lacksDigest = isUnpinned && !document.fieldsOf(entry).has('sha256');
    const hubFile = hubFileOf(file.url);
    const pins = isUnpinned && hubFile ? this.pins(hubFile, index) : [];
    if (!lacksDigest && !DIGEST_CODES.has(code)) return pins;
    const here = await this.locally(file);
    return [
      ...pins,
      ...(hubFile ? this.fillsFromHub(index) : []),
      ...here.map(({ place, title }): FixElsewhere => {
        return { title, errand: { kind: 'fill', from: place }, entries: index };
      })
    ];
  }

  private pins({ revision }: HubFile, index: number): FixElsewhere[] {
    const errand = { kind: 'pin' } as const;
    const one = { title: `Ask the hub which commit “${revision}” is, and name it`, errand, entries: index };
    const count = this.countOf('pin');
    if (count < 2) return [one];
    const title = `Ask the hub for the commits of all ${count} files, and name them`;
    return [one, { title, errand, entries: 'all' }];
  }

  private fillsFromHub(index: number): FixElsewhere[] {
    const errand = { kind: 'fill', from: 'hub' } as const;
    const one = { title: 'Ask the hub for “sha256” and “size_bytes”, and write them', errand, entries: index };
    const count = this.countOf('fill');
    if (count < 2) return [one];
    const title = `Ask the hub for “sha256” and “size_bytes” of all ${count} files that lack them, and write them`;
    return [one, { title, errand, entries: 'all' }];
  }

  /** Counted once, however many findings ask. */
  private countOf(kind: Errand['kind']): number {
    const count = this.counts.get(kind) ?? entriesFor(this.document, kind, 'all').length;
    this.counts.set(kind, count);
    return count;
  }
}

/** The entries that a fix is for; of all of them those that the hub knows and that lack what it writes. */
export function entriesFor(document: ManifestDocument, kind: Errand['kind'], wanted: WantedEntries): readonly Node[] {
  const entries = fileEntries(document);
  if (wanted !== 'all') return entries.slice(wanted, wanted + 1);
  return entries.filter((entry) => {
    const file = fileAt(document, entry);
    const hubFile = file && hubFileOf(file.url);
    if (!hubFile) return false;
    return kind === 'pin' ? !isPinned(hubFile) : !document.fieldsOf(entry).has('sha256');
  });
}

/** The file that an entry names; undefined without an address. */
export function fileAt(document: ManifestDocument, entry: Node | undefined): WrittenFile | undefined {
  const fields = entry && document.fieldsOf(entry);
  const url = stringOf(fields?.get('url')?.value);
  return url === undefined ? undefined : { url, filename: stringOf(fields?.get('filename')?.value) };
}
