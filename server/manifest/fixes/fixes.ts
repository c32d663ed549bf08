import { findNodeAtOffset } from 'jsonc-parser';
import type { DiagnosticCode } from '../../../shared/manifest/diagnostic-codes';
import type { ManifestDiagnostic } from '../diagnostic';
import type { Dialect } from '../dialect';
import type { ManifestDocument } from '../document';
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
import { fixMissingRole } from './roles';

/** How findings are mended that can be mended without knowing more than the text. */
const FIXES: Readonly<Partial<Record<DiagnosticCode, (request: FixRequest) => ManifestFix[]>>> = {
  schema: fixMissingFields,
  'unknown-field': fixFieldName,
  'deprecated-field': fixNameElsewhere,
  'unnecessary-field': fixUnnecessaryField,
  'unknown-role': fixOption,
  'unknown-value': fixOption,
  'duplicate-key': fixDuplicateKey,
  'missing-role': fixMissingRole,
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
  const node = document.root && isCertain ? findNodeAtOffset(document.root, diagnostic.start) : undefined;
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
  const edits: TextReplacement[] = [];
  for (const diagnostic of diagnostics) {
    const fix = fixesFor(document, dialect, diagnostic).find(({ isCertain }) => isCertain);
    const isFree = fix?.edits.every((edit) =>
      edits.every((other) => edit.start >= other.end || edit.end <= other.start)
    );
    if (fix && isFree) edits.push(...fix.edits);
  }
  return edits;
}
