import { MOST_FILES } from '../../shared/manifest/source-manifest';
import type { Finding, ManifestDiagnostic, Report } from './diagnostic';
import type { Dialect } from './dialect';
import type { ManifestDocument } from './document';
import { fileEntries } from './files';
import { checkInsecureAddresses } from './rules/addresses';
import { checkDigestFormat } from './rules/digest-format';
import { checkMissingDigests, checkRepeatedDigests } from './rules/digests';
import { checkDuplicatePaths } from './rules/duplicate-paths';
import { checkEverywhere } from './rules/everywhere';
import { checkNamesElsewhere } from './rules/names-elsewhere';
import { checkPickles } from './rules/pickles';
import { checkPinning } from './rules/pinning';
import { checkMissingRoles, checkRepeatedRoles } from './rules/roles';
import { checkShape } from './rules/shape';
import { checkApproximateSizes } from './rules/sizes';
import { checkSyntax } from './rules/syntax';
import { checkTotalSize } from './rules/total-size';
import { schemaMark } from './schema-mark';

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
  const work = diagnosing(document, dialect, options);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** As {@link diagnose}, but pauses between rules, for a large manifest takes longer than others should wait. */
export function* diagnosing(
  document: ManifestDocument,
  dialect: Dialect,
  { reportSyntax }: DiagnoseOptions
): Generator<undefined, readonly ManifestDiagnostic[]> {
  const whole = findingAboutTheWhole(document);
  if (whole) return [settled(whole, document)];
  const rows = new Rows(document);
  if (reportSyntax) checkSyntax(document, (finding) => rows.addSyntax(finding));
  const report: Report = (finding) => rows.add(finding);
  yield* checkEverywhere(document, reportSyntax, report);
  for (const check of RULES[dialect]) {
    yield;
    const steps = check(document, dialect, report);
    if (steps) yield* steps;
  }
  yield;
  return rows.inDocumentOrder();
}

/** Reports what it finds, at once or in steps. */
type Rule = (document: ManifestDocument, dialect: Dialect, report: Report) => Iterable<undefined> | void;

const SHAPE: readonly Rule[] = [
  (document, _, report) => checkNamesElsewhere(document, report),
  checkShape,
  checkDuplicatePaths,
  (document, _, report) => checkDigestFormat(document, report)
];

/** The rules by dialect, most fundamental first. */
const RULES: Readonly<Record<Dialect, readonly Rule[]>> = {
  // Much of this is what only somebody who writes a manifest by hand can do anything about.
  source: [
    ...SHAPE,
    ...[
      checkRepeatedRoles,
      checkMissingRoles,
      checkInsecureAddresses,
      checkPinning,
      checkApproximateSizes,
      checkMissingDigests,
      checkRepeatedDigests
    ].map(
      (check): Rule =>
        (document, _, report) =>
          check(document, report)
    ),
    checkPickles
  ],
  installed: [...SHAPE, checkPickles, (document, _, report) => checkTotalSize(document, report)],
  artifact: [...SHAPE, checkPickles]
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
 * Collects findings so that a mistake has one row: the first finding about a range is the most fundamental one, and
 * behind a syntax error nothing is judged, because what was read there is a guess.
 */
class Rows {
  private readonly rows = new Map<string, ManifestDiagnostic>();
  private readonly certainUntil: number;

  constructor(private readonly document: ManifestDocument) {
    this.certainUntil = document.syntaxError?.offset ?? document.text.length;
  }

  add(finding: Finding): void {
    if ((finding.judgedUntil ?? finding.end) <= this.certainUntil) this.addSyntax(finding);
  }

  addSyntax(finding: Finding): void {
    const row = settled(finding, this.document);
    const range = `${row.start}:${row.end}`;
    if (!this.rows.has(range)) this.rows.set(range, row);
  }

  inDocumentOrder(): ManifestDiagnostic[] {
    return [...this.rows.values()].toSorted((a, b) => a.start - b.start || a.end - b.end);
  }
}

function settled({ code, severity = 'error', message, start, end, related }: Finding, { text }: ManifestDocument) {
  const range = { start: Math.min(start, text.length), end: Math.min(end, text.length) };
  return { code, severity, message, ...range, ...(related && { related }) } satisfies ManifestDiagnostic;
}
