import { MOST_FILES } from '../../shared/manifest/source-manifest';
import type { Finding, ManifestDiagnostic, Report } from './diagnostic';
import type { Dialect } from './dialect';
import type { ManifestDocument } from './document';
import { fileEntries } from './files';
import { checkInsecureAddresses } from './rules/addresses';
import { checkDigestFormat } from './rules/digest-format';
import { checkMissingDigests, checkRepeatedDigests } from './rules/digests';
import { checkDuplicateKeys } from './rules/duplicate-keys';
import { checkDuplicatePaths } from './rules/duplicate-paths';
import { checkNumbers } from './rules/inexact-numbers';
import { checkNamesElsewhere } from './rules/names-elsewhere';
import { checkPickles } from './rules/pickles';
import { checkPinning } from './rules/pinning';
import { checkMissingRoles, checkRepeatedRoles } from './rules/roles';
import { checkSecrets } from './rules/secrets';
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
  { reportSyntax }: DiagnoseOptions
): readonly ManifestDiagnostic[] {
  const whole = findingAboutTheWhole(document);
  if (whole) return [settled(whole, document)];
  const rows = new Rows(document);
  const report: Report = (finding) => rows.add(finding);
  if (reportSyntax) {
    checkSyntax(document, (finding) => rows.addSyntax(finding));
    checkDuplicateKeys(document, report);
  }
  checkNumbers(document, report);
  checkSecrets(document, report);
  checkNamesElsewhere(document, report);
  checkShape(document, dialect, report);
  checkDuplicatePaths(document, dialect, report);
  checkDigestFormat(document, report);
  if (dialect === 'source') checkSource(document, report);
  checkPickles(document, dialect, report);
  if (dialect === 'installed') checkTotalSize(document, report);
  return rows.inDocumentOrder();
}

/** What only somebody who writes a manifest by hand can do anything about. */
function checkSource(document: ManifestDocument, report: Report): void {
  checkRepeatedRoles(document, report);
  checkMissingRoles(document, report);
  checkInsecureAddresses(document, report);
  checkPinning(document, report);
  checkApproximateSizes(document, report);
  checkMissingDigests(document, report);
  checkRepeatedDigests(document, report);
}

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
