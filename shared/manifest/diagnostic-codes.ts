/** What can be said about a manifest; stable, documented one page each in `docs/diagnostics`. */
export const DIAGNOSTIC_CODES = [
  'syntax',
  'too-large',
  'too-deep',
  'too-many-files',
  'newer-format',
  'duplicate-key',
  'inexact-number',
  'schema',
  'unknown-field',
  'deprecated-field',
  'unnecessary-field',
  'unknown-role',
  'duplicate-role',
  'missing-role',
  'wrong-role',
  'incomplete-model',
  'unfit-default',
  'unknown-value',
  'bad-name',
  'duplicate-name',
  'unsafe-path',
  'duplicate-path',
  'bad-digest',
  'placeholder-digest',
  'digest-format',
  'missing-digest',
  'repeated-digest',
  'bad-url',
  'insecure-url',
  'unpinned-revision',
  'pickle-file',
  'secret',
  'size-mismatch',
  'missing-file',
  'size-differs',
  'digest-differs',
  'extra-file',
  'outdated',
  'not-on-hub',
  'hub-differs'
] as const;

export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];

const codes: ReadonlySet<unknown> = new Set(DIAGNOSTIC_CODES);

/** Whether a value is one of {@link DIAGNOSTIC_CODES}. */
export function isDiagnosticCode(value: unknown): value is DiagnosticCode {
  return codes.has(value);
}
