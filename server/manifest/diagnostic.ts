import type { DiagnosticCode } from '../../shared/manifest/diagnostic-codes';
import type { Severity } from '../../shared/manifest/severities';
import type { Role } from '../../shared/roles';

/** A part of a text, in UTF-16 offsets; `end` is behind the last unit. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** One finding about a manifest: one mistake gives exactly one. */
export interface ManifestDiagnostic extends TextRange {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** Plain text; says what is wrong and what to do. Never repeats a secret. */
  readonly message: string;
  /** Other places that belong to the finding, for example the first of two equal names. */
  readonly related?: readonly RelatedPlace[];
  /** What a fix does, when the text alone does not tell. */
  readonly remedy?: Remedy;
}

/** What mends a finding: another value, no field, or entries for files that are missing. */
export type Remedy =
  | { readonly kind: 'write'; readonly value: string | number }
  | { readonly kind: 'remove' }
  | { readonly kind: 'add-files'; readonly roles: readonly Role[] };

export interface RelatedPlace extends TextRange {
  readonly message: string;
  /** Absolute path of another manifest, whose beginning is meant; absent: the place is in the same text. */
  readonly file?: string;
}

/** What a rule reports. */
export interface Finding extends Omit<ManifestDiagnostic, 'severity'> {
  /** Left out: error. */
  readonly severity?: Severity;
  /**
   * End of the text that the finding judges, when that is more than its range: a missing field is shown at the
   * object's beginning but is certain only when the whole object could be read.
   */
  readonly judgedUntil?: number;
}

/** Takes the findings of the rules, most fundamental first. */
export type Report = (finding: Finding) => void;
