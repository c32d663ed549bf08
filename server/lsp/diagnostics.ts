import { isDeepStrictEqual } from 'node:util';
import {
  type Connection,
  type Diagnostic,
  DiagnosticSeverity,
  DiagnosticTag,
  DocumentDiagnosticReportKind,
  type TextDocuments
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { messageOf } from '../../shared/failure';
import type { DiagnosticCode } from '../../shared/manifest/diagnostic-codes';
import type { Severity, SeverityOverrides } from '../../shared/manifest/severities';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { withSeverities } from '../manifest/severities';
import type { ManifestDocuments } from './manifest-documents';

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

export interface DiagnosticsOptions {
  /** Whether the editor declared that it asks for diagnostics. */
  readonly asks: boolean;
  /** URL of the folder with a page for each code, ending with a slash. */
  readonly documentation: string;
  /** What the user wants findings to be. */
  readonly severities: () => SeverityOverrides;
}

/** How editors show findings that are no mistakes of their own: greyed out, or struck through. */
const TAGS: Readonly<Partial<Record<DiagnosticCode, DiagnosticTag>>> = {
  'unnecessary-field': DiagnosticTag.Unnecessary,
  'deprecated-field': DiagnosticTag.Deprecated
};

/**
 * Reports findings by exactly one channel: asked for by the editor when it can ask, else sent to it.
 * @returns sends the findings of all open documents anew; does nothing for an editor that asks
 */
export function serveDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  manifests: ManifestDocuments,
  { asks, documentation, severities }: DiagnosticsOptions
): () => void {
  const findings = async (document: TextDocument): Promise<Diagnostic[]> =>
    withSeverities(await manifests.diagnose(document), severities())
      .slice(0, MOST_FINDINGS)
      .map((diagnostic) => toLsp(document, diagnostic, documentation));
  documents.onDidClose(({ document: { uri } }) => {
    manifests.forget(uri);
    if (!asks) void connection.sendDiagnostics({ uri, diagnostics: [] });
  });
  if (asks) {
    serveAsked(connection, documents, findings);
    return () => undefined;
  }
  const tell = (document: TextDocument): void => {
    send(connection, documents, document, findings).catch((error: unknown) => {
      connection.console.error(`failed diagnostics: ${messageOf(error)}`);
    });
  };
  documents.onDidChangeContent(({ document }) => tell(document));
  return () => documents.all().forEach(tell);
}

type Find = (document: TextDocument) => Promise<Diagnostic[]>;

/** What was found in an older text is not sent after what was found in a newer one. */
async function send(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  document: TextDocument,
  findings: Find
): Promise<void> {
  const { uri, version } = document;
  const diagnostics = await findings(document);
  if (documents.get(uri)?.version === version) await connection.sendDiagnostics({ uri, version, diagnostics });
}

function serveAsked(connection: Connection, documents: TextDocuments<TextDocument>, findings: Find): void {
  const told = new Map<string, { readonly resultId: string; readonly items: Diagnostic[] }>();
  documents.onDidClose(({ document: { uri } }) => told.delete(uri));
  let answers = 0;
  connection.languages.diagnostics.on(async ({ textDocument: { uri }, previousResultId }) => {
    const document = documents.get(uri);
    if (!document) return { kind: DocumentDiagnosticReportKind.Full, items: [] };
    const items = await findings(document);
    const last = told.get(uri);
    if (last && last.resultId === previousResultId && isDeepStrictEqual(last.items, items)) {
      return { kind: DocumentDiagnosticReportKind.Unchanged, resultId: last.resultId };
    }
    answers += 1;
    const resultId = String(answers);
    told.set(uri, { resultId, items });
    return { kind: DocumentDiagnosticReportKind.Full, resultId, items };
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
      relatedInformation: related.map((place) => ({
        message: place.message,
        location: { uri: document.uri, range: rangeOf(place.start, place.end) }
      }))
    })
  };
}
