import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { type Diagnostic, DiagnosticSeverity, DiagnosticTag, type Location } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { DiagnosticCode } from '../../shared/manifest/diagnostic-codes';
import type { Severity, SeverityOverrides } from '../../shared/manifest/severities';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { withSeverities } from '../manifest/severities';

/** How findings are shown. */
export interface Presentation {
  /** URL of the folder with a page for each code, ending with a slash. */
  readonly documentation: string;
  /** What the user wants findings to be; the same object for as long as that is the same. */
  readonly severities: () => SeverityOverrides;
}

/** Nobody reads more findings in one file; without a bound a hostile file would flood the editor. */
const MOST_FINDINGS = 1000;

/** Shown beside every finding. */
const SOURCE = 'Diffusion Dock';

const LSP_SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint
};

/** How editors show findings that are no mistakes of their own: greyed out, or struck through. */
const TAGS: Readonly<Partial<Record<DiagnosticCode, DiagnosticTag>>> = {
  'unnecessary-field': DiagnosticTag.Unnecessary,
  'deprecated-field': DiagnosticTag.Deprecated
};

/** Findings as editors take them. */
export function lspDiagnostics(
  document: TextDocument,
  diagnostics: readonly ManifestDiagnostic[],
  { documentation, severities }: Presentation
): Diagnostic[] {
  return withSeverities(diagnostics, severities())
    .slice(0, MOST_FINDINGS)
    .map((diagnostic) => toLsp(document, diagnostic, documentation));
}

/** The same for the same findings, so that nobody has to remember what was told to whom. */
export function resultIdOf(items: readonly Diagnostic[]): string {
  return createHash('sha256').update(JSON.stringify(items)).digest('base64url').slice(0, 22);
}

function toLsp(
  document: TextDocument,
  { code, severity, message, start, end, related }: ManifestDiagnostic,
  documentation: string
): Diagnostic {
  const rangeOf = (from: number, to: number): Diagnostic['range'] => ({
    start: document.positionAt(from),
    end: document.positionAt(to)
  });
  const tag = TAGS[code];
  return {
    code,
    codeDescription: { href: `${documentation}${code}.md` },
    source: SOURCE,
    severity: LSP_SEVERITIES[severity],
    message,
    range: rangeOf(start, end),
    ...(tag !== undefined && { tags: [tag] }),
    ...(related && {
      relatedInformation: related.map(({ message: said, file, start: from, end: to }) => ({
        message: said,
        location: file === undefined ? { uri: document.uri, range: rangeOf(from, to) } : beginningOf(file)
      }))
    })
  };
}

/** @param file absolute path */
function beginningOf(file: string): Location {
  const start = { line: 0, character: 0 };
  return { uri: pathToFileURL(file).href, range: { start, end: start } };
}
