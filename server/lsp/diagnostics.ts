import {
  type Connection,
  type Diagnostic,
  DiagnosticSeverity,
  DocumentDiagnosticReportKind,
  type TextDocuments
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { ManifestDiagnostic, Severity } from '../manifest/diagnostic';
import type { ManifestDocuments } from './manifest-documents';

/** Nobody reads more findings in one file; without a bound a hostile file would flood the editor. */
const MOST_FINDINGS = 1000;

/** Shown beside every finding. */
const SOURCE = 'Diffusion Dock';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  hint: DiagnosticSeverity.Information
};

/**
 * Reports findings by exactly one channel: asked for by the editor when it can ask, else sent to it.
 * @param asks whether the editor declared that it asks for diagnostics
 * @param documentation URL of the folder with a page for each code, ending with a slash
 */
export function serveDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  manifests: ManifestDocuments,
  { asks, documentation }: { readonly asks: boolean; readonly documentation: string }
): void {
  const findings = (document: TextDocument): Diagnostic[] =>
    manifests
      .diagnose(document)
      .slice(0, MOST_FINDINGS)
      .map((diagnostic) => toLsp(document, diagnostic, documentation));
  documents.onDidClose(({ document: { uri } }) => {
    manifests.forget(uri);
    if (!asks) void connection.sendDiagnostics({ uri, diagnostics: [] });
  });
  if (!asks) {
    documents.onDidChangeContent(({ document }) => {
      void connection.sendDiagnostics({
        uri: document.uri,
        version: document.version,
        diagnostics: findings(document)
      });
    });
    return;
  }
  connection.languages.diagnostics.on(({ textDocument, previousResultId }) => {
    const document = documents.get(textDocument.uri);
    if (!document) return { kind: DocumentDiagnosticReportKind.Full, items: [] };
    const resultId = String(document.version);
    if (resultId === previousResultId) return { kind: DocumentDiagnosticReportKind.Unchanged, resultId };
    return { kind: DocumentDiagnosticReportKind.Full, resultId, items: findings(document) };
  });
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
  return {
    code,
    codeDescription: { href: `${documentation}${code}.md` },
    source: SOURCE,
    severity: SEVERITIES[severity],
    message,
    range: rangeOf(start, end),
    ...(related && {
      relatedInformation: related.map((place) => ({
        message: place.message,
        location: { uri: document.uri, range: rangeOf(place.start, place.end) }
      }))
    })
  };
}
