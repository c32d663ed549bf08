import { relative, sep } from 'node:path';
import type { PlacedDiagnostic, Validation } from '../../../operations/manifests/validate-manifest';

/** The findings in one file, as every form of output tells them. */
export interface FileReport {
  /** Relative to where the command runs, with `/`. */
  readonly file: string;
  /** undefined: not a model manifest. */
  readonly dialect: Validation['dialect'];
  /** Why it is a manifest, or is none. */
  readonly explanation: string;
  readonly findings: readonly PlacedDiagnostic[];
  /** Why it could not be compared with the hub. */
  readonly hubFailure: Validation['hubFailure'];
}

/** Names files as people do: from the folder that the command runs in. */
export function reportOf(
  { path, dialect, explanation, diagnostics, hubFailure }: Validation,
  folder: string
): FileReport {
  const file = (relative(folder, path) || path).replaceAll(sep, '/');
  return { file, dialect, explanation, findings: diagnostics, hubFailure };
}
