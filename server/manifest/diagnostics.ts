import type { Node } from 'jsonc-parser';
import { MOST_FILES } from '../../shared/manifest/source-manifest';
import { drained } from '../platform/sliced-work';
import type { Finding, ManifestDiagnostic, Report } from './diagnostic';
import { type EntryMemory, moved, type RankedFinding } from './entry-memory';
import { fileEntries } from './files';
import type { Dialect } from './recognition/dialect';
import { schemaMark } from './recognition/schema-mark';
import { insecureAddresses } from './rules/addresses';
import { digestFormat } from './rules/digest-format';
import { missingDigests, repeatedDigests } from './rules/digests';
import { duplicatePaths } from './rules/duplicate-paths';
import { everywhere } from './rules/everywhere';
import { idleDefaults } from './rules/family-defaults';
import { namesElsewhere } from './rules/names-elsewhere';
import { pickles } from './rules/pickles';
import { pinning } from './rules/pinning';
import { missingRoles, repeatedRoles } from './rules/roles';
import type { ManifestInQuestion, Rule } from './rules/rule';
import { shape } from './rules/shape';
import { approximateSizes } from './rules/sizes';
import { checkSyntax } from './rules/syntax';
import { totalSize } from './rules/total-size';
import { endOf, type ManifestDocument } from './text/document';

export interface DiagnoseOptions {
  /**
   * Whether to report what any JSON editor reports as well: syntax, and keys written twice. Where the host does, a
   * row of ours would be the second for one mistake.
   */
  readonly reportSyntax: boolean;
}

/** Everything that can be said about a manifest from its text alone, in document order, one row a mistake. */
export function diagnose(
  document: ManifestDocument,
  dialect: Dialect,
  options: DiagnoseOptions
): readonly ManifestDiagnostic[] {
  return drained(diagnosing(document, dialect, options));
}

/**
 * As {@link diagnose}, but pauses often, for a large manifest takes longer than others should wait.
 * @param memory of earlier versions of the same manifest, in the same dialect and with the same options; left out where
 *   there will be no later one
 */
export function* diagnosing(
  document: ManifestDocument,
  dialect: Dialect,
  { reportSyntax }: DiagnoseOptions,
  memory?: EntryMemory
): Generator<undefined, readonly ManifestDiagnostic[]> {
  const beyond = findingAboutTheWhole(document);
  if (beyond) return [settled(beyond, document)];
  const rows = new Rows(document);
  if (reportSyntax) checkSyntax(document, (finding) => rows.addSyntax(finding));
  const manifest = { document, dialect, reportKeys: reportSyntax };
  for (const [rank, { whole }] of RULES[dialect].entries()) {
    whole?.(manifest, (finding) => rows.add({ rank, finding }));
    yield;
  }
  yield* checkEntries(manifest, memory, (found) => rows.add(found));
  return rows.inDocumentOrder();
}

/** How many entries are looked at between two pauses. */
const ENTRIES = 50;

/** Looks at the entries that are not remembered. Behind a syntax error nothing is judged, so nothing is looked at. */
function* checkEntries(
  manifest: ManifestInQuestion,
  memory: EntryMemory | undefined,
  add: (found: RankedFinding) => void
): Generator<undefined, void> {
  const { document } = manifest;
  const certainUntil = document.syntaxError?.offset ?? document.text.length;
  for (const [index, entry] of fileEntries(document).entries()) {
    if (entry.offset >= certainUntil) break;
    // What stands in a list that only takes objects is told by its number.
    const isByItself = entry.type === 'object' && entry.length >= 0 && endOf(entry, document.text) <= certainUntil;
    if (memory && isByItself) {
      for (const found of remembered(manifest, { entry, index, memory })) add(moved(found, entry.offset));
    } else findingsIn(manifest, entry, index).forEach(add);
    if (index % ENTRIES === 0) yield;
  }
}

interface Remembering {
  readonly entry: Node;
  readonly index: number;
  readonly memory: EntryMemory;
}

/** Thousands of entries have nothing to be remembered. */
const NOTHING: readonly RankedFinding[] = [];

/** What is found in an entry, with offsets from its beginning. */
function remembered(manifest: ManifestInQuestion, { entry, index, memory }: Remembering): readonly RankedFinding[] {
  const known = memory.get(entry);
  if (known) return known;
  const found = findingsIn(manifest, entry, index).map((finding) => moved(finding, -entry.offset));
  const findings = found.length === 0 ? NOTHING : found;
  memory.set(entry, findings);
  return findings;
}

function findingsIn(manifest: ManifestInQuestion, entry: Node, index: number): readonly RankedFinding[] {
  const { document, dialect, reportKeys } = manifest;
  const found: RankedFinding[] = [];
  const place = { document, dialect, reportKeys, entry, index };
  let rank = 0;
  const report: Report = (finding) => found.push({ rank, finding });
  for (const rule of RULES[dialect]) {
    rule.entry?.(place, report);
    rank++;
  }
  return found;
}

const BASIC: readonly Rule[] = [everywhere, namesElsewhere, shape, duplicatePaths, digestFormat];

/** The rules by dialect, most fundamental first. */
const RULES: Readonly<Record<Dialect, readonly Rule[]>> = {
  // Much of this is what only somebody who writes a manifest by hand can do anything about.
  source: [
    ...BASIC,
    repeatedRoles,
    missingRoles,
    idleDefaults,
    insecureAddresses,
    pinning,
    approximateSizes,
    missingDigests,
    repeatedDigests,
    pickles
  ],
  installed: [...BASIC, pickles, totalSize],
  artifact: [...BASIC, pickles]
};

/** What makes every further finding pointless. */
function findingAboutTheWhole(document: ManifestDocument): Finding | undefined {
  if (document.limit) return document.limit;
  if (schemaMark(document)?.newer) {
    const node = document.nodeAt(['$schema']);
    const message = 'This manifest was written for a newer version of Diffusion Dock; update to read it.';
    if (node) return { code: 'newer-format', message, start: node.offset, end: node.offset + node.length };
  }
  const surplus = fileEntries(document)[MOST_FILES];
  if (!surplus) return undefined;
  const message = `A manifest lists at most ${MOST_FILES} files, and here begins one too many; list fewer.`;
  return { code: 'too-many-files', message, start: surplus.offset, end: surplus.offset + 1 };
}

/**
 * Collects findings so that a mistake has one row: of those about a range the one of the most fundamental rule, and
 * behind a syntax error nothing is judged, because what was read there is a guess.
 */
class Rows {
  private readonly rows = new Map<string, { readonly rank: number; readonly row: ManifestDiagnostic }>();
  private readonly certainUntil: number;

  constructor(private readonly document: ManifestDocument) {
    this.certainUntil = document.syntaxError?.offset ?? document.text.length;
  }

  add(found: RankedFinding): void {
    const { judgedUntil, end } = found.finding;
    if ((judgedUntil ?? end) <= this.certainUntil) this.keep(found);
  }

  addSyntax(finding: Finding): void {
    this.keep({ rank: -1, finding });
  }

  inDocumentOrder(): ManifestDiagnostic[] {
    const rows = [...this.rows.values()].map(({ row }) => row);
    return rows.toSorted((a, b) => a.start - b.start || a.end - b.end);
  }

  private keep({ rank, finding }: RankedFinding): void {
    const row = settled(finding, this.document);
    const range = `${row.start}:${row.end}`;
    const before = this.rows.get(range);
    if (!before || rank < before.rank) this.rows.set(range, { rank, row });
  }
}

function settled({ code, severity = 'error', message, start, end, related }: Finding, { text }: ManifestDocument) {
  const range = { start: Math.min(start, text.length), end: Math.min(end, text.length) };
  return { code, severity, message, ...range, ...(related && { related }) } satisfies ManifestDiagnostic;
}
