import type { DiagnosticCode } from '../../../shared/manifest/diagnostic-codes';
import type { ManifestDiagnostic, TextRange } from '../diagnostic';
import type { Dialect } from '../recognition/dialect';
import type { ManifestDocument } from '../text/document';
import { nodeAtOffset } from '../text/node-at-offset';
import { fixAddress, fixInsecureAddress, fixSecret } from './addresses';
import type { TextReplacement } from './edits';
import {
  fixDuplicateKey,
  fixFieldName,
  fixMissingFields,
  fixNameElsewhere,
  fixOption,
  fixUnnecessaryField
} from './fields';
import type { FixRequest, ManifestFix } from './fix';
import { fixDuplicatePath, fixFileName, fixModelName } from './names';
import { fixDigest, fixTotalSize } from './numbers';
import { fixByRemedy } from './remedies';
import { fixMissingRole } from './roles';

/** How findings are mended that can be mended without knowing more than the text and the finding. */
const FIXES: Readonly<Partial<Record<DiagnosticCode, (request: FixRequest) => ManifestFix[]>>> = {
  schema: fixMissingFields,
  'unknown-field': fixFieldName,
  'deprecated-field': fixNameElsewhere,
  'unnecessary-field': fixUnnecessaryField,
  'unknown-role': fixOption,
  'unknown-value': fixOption,
  'duplicate-key': fixDuplicateKey,
  'missing-role': fixMissingRole,
  'wrong-role': fixByRemedy,
  'incomplete-model': fixByRemedy,
  'unfit-default': fixByRemedy,
  'bad-name': fixModelName,
  'unsafe-path': fixFileName,
  'duplicate-path': fixDuplicatePath,
  'bad-digest': fixDigest,
  'placeholder-digest': fixDigest,
  'digest-format': fixDigest,
  'bad-url': fixAddress,
  'insecure-url': fixInsecureAddress,
  secret: fixSecret,
  'size-mismatch': fixTotalSize
};

/** The changes that would mend a finding, the best one first. */
export function fixesFor(document: ManifestDocument, dialect: Dialect, diagnostic: ManifestDiagnostic): ManifestFix[] {
  // What was read behind a syntax error is a guess, and edits made from it would be one too.
  const isCertain = document.syntaxError === undefined || diagnostic.end <= document.syntaxError.offset;
  const node = document.root && isCertain ? nodeAtOffset(document.root, diagnostic.start) : undefined;
  return (node && FIXES[diagnostic.code]?.({ document, dialect, diagnostic, node })) ?? [];
}

/**
 * The changes of all certain fixes together. Of two that touch the same text the first is made; the other one is
 * found again when the text is looked at anew.
 */
export function certainFixes(
  document: ManifestDocument,
  dialect: Dialect,
  diagnostics: readonly ManifestDiagnostic[]
): readonly TextReplacement[] {
  const edits = new DisjointEdits();
  for (const diagnostic of diagnostics) {
    const fix = fixesFor(document, dialect, diagnostic).find(({ isCertain }) => isCertain);
    if (fix?.edits.every((edit) => edits.leaveFree(edit))) edits.add(fix.edits);
  }
  return edits.inDocumentOrder;
}

/** Edits that do not touch each other, in document order: a search tells whether one more fits. */
class DisjointEdits {
  private readonly edits: TextReplacement[] = [];

  get inDocumentOrder(): readonly TextReplacement[] {
    return this.edits;
  }

  leaveFree({ start, end }: TextRange): boolean {
    const before = this.edits[this.countBegunBefore(end) - 1];
    return before === undefined || before.end <= start;
  }

  add(edits: readonly TextReplacement[]): void {
    for (const edit of edits) this.edits.splice(this.countBegunBefore(edit.end), 0, edit);
  }

  private countBegunBefore(offset: number): number {
    let [low, high] = [0, this.edits.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.edits[middle]?.start ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
