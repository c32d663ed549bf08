import type { SeverityOverrides } from '../../shared/manifest/severities';
import type { ManifestDiagnostic } from './diagnostic';

/** The findings as the user wants them to be: graver, lighter, or not at all. */
export function withSeverities<Diagnostic extends ManifestDiagnostic>(
  diagnostics: readonly Diagnostic[],
  overrides: SeverityOverrides
): Diagnostic[] {
  return diagnostics.flatMap((diagnostic) => {
    const wanted = overrides[diagnostic.code] ?? diagnostic.severity;
    return wanted === 'off' ? [] : [{ ...diagnostic, severity: wanted }];
  });
}
