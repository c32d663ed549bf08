import { hasCandidateName } from '../../shared/manifest/candidate';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { diagnose } from '../manifest/diagnostics';
import type { Dialect } from '../manifest/dialect';
import { parseManifestText } from '../manifest/document';
import { explainRecognition } from '../manifest/explain-recognition';
import { LineIndex, type Position } from '../manifest/positions';
import { recognition } from '../manifest/recognise';
import { readManifestText } from './manifest-file';

/** A finding with its place in the file; line and character count from 0, in UTF-16 units. */
export interface PlacedDiagnostic extends ManifestDiagnostic {
  readonly from: Position;
  readonly to: Position;
}

/** What a file is and what is wrong with it. */
export interface Validation {
  readonly path: string;
  /** undefined: not a model manifest, so nothing is said about it. */
  readonly dialect: Dialect | undefined;
  /** Why it is one, or is none. */
  readonly explanation: string;
  readonly diagnostics: readonly PlacedDiagnostic[];
}

/**
 * Examines a manifest file by the rules that editors show.
 * @param path absolute path
 * @throws Failure when the file cannot be read
 */
export async function validateManifest(path: string): Promise<Validation> {
  const text = await readManifestText(path);
  const document = parseManifestText(text);
  const recognised = recognition(document, {
    path,
    liesInCacheRoot: false,
    // Whoever names a file of another name means it to be a manifest.
    matchesInclude: !hasCandidateName(path),
    previous: undefined
  });
  const { dialect } = recognised;
  const explanation = explainRecognition(recognised);
  if (dialect === undefined) return { path, dialect, explanation, diagnostics: [] };
  const lines = new LineIndex(text);
  const diagnostics = diagnose(document, dialect, { reportSyntax: true }).map((diagnostic) => ({
    ...diagnostic,
    from: lines.positionAt(diagnostic.start),
    to: lines.positionAt(diagnostic.end)
  }));
  return { path, dialect, explanation, diagnostics };
}
