import {
  type CancellationToken,
  type Connection,
  type Diagnostic,
  type DocumentDiagnosticParams,
  type DocumentDiagnosticReport,
  DocumentDiagnosticReportKind,
  LSPErrorCodes,
  ResponseError,
  type TextDocuments
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { messageOf } from '../../shared/failure';
import { lspDiagnostics, type Presentation, resultIdOf } from './lsp-diagnostic';
import type { ManifestDocuments } from './manifest-documents';

export interface DiagnosticsOptions extends Presentation {
  /** Whether the editor declared that it asks for diagnostics. */
  readonly asks: boolean;
}

/** Reports about the open documents. */
export interface OpenDiagnostics {
  /** Sends the findings of all open documents anew; does nothing for an editor that asks. */
  readonly sendAnew: () => void;
  /** Resolves when every question that was asked by now is answered. */
  readonly answered: () => Promise<unknown>;
}

/**
 * Reports the findings in open documents by exactly one channel: asked for by the editor when it can ask, else sent to
 * it. What is shown of a document that closes is up to whoever reports about the others.
 */
export function serveDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  manifests: ManifestDocuments,
  options: DiagnosticsOptions
): OpenDiagnostics {
  const findings: Find = async (document) => {
    const found = await manifests.diagnose(document);
    return found && lspDiagnostics(document, found, options);
  };
  documents.onDidClose(({ document: { uri } }) => manifests.forget(uri));
  if (options.asks) {
    const answered = serveAsked(connection, documents, findings);
    return { sendAnew: () => undefined, answered };
  }
  const tell = (document: TextDocument): void => {
    send(connection, documents, document, findings).catch((error: unknown) => {
      connection.console.error(`failed diagnostics: ${messageOf(error)}`);
    });
  };
  documents.onDidChangeContent(({ document }) => tell(document));
  return { sendAnew: () => documents.all().forEach(tell), answered: () => Promise.resolve() };
}

/** Resolves to undefined when the document has changed meanwhile. */
type Find = (document: TextDocument) => Promise<Diagnostic[] | undefined>;

/** What was found in an older text is not sent: the newer one has findings of its own. */
async function send(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  document: TextDocument,
  findings: Find
): Promise<void> {
  const { uri, version } = document;
  const diagnostics = await findings(document);
  if (diagnostics && documents.get(uri) === document) await connection.sendDiagnostics({ uri, version, diagnostics });
}

function serveAsked(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  findings: Find
): () => Promise<unknown> {
  const underWay = new Set<Promise<unknown>>();
  const report = async (
    { textDocument: { uri }, previousResultId }: DocumentDiagnosticParams,
    token: CancellationToken
  ): Promise<DocumentDiagnosticReport> => {
    let items: Diagnostic[] | undefined;
    while (!items) {
      const document = documents.get(uri);
      items = document ? await findings(document) : [];
      if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    }
    const resultId = resultIdOf(items);
    if (resultId === previousResultId) return { kind: DocumentDiagnosticReportKind.Unchanged, resultId };
    return { kind: DocumentDiagnosticReportKind.Full, resultId, items };
  };
  connection.languages.diagnostics.on((params, token) => {
    const answer = report(params, token);
    underWay.add(answer);
    return answer.finally(() => underWay.delete(answer));
  });
  return () => Promise.allSettled(underWay);
}
