import { pathToFileURL } from 'node:url';
import {
  type CancellationToken,
  type Connection,
  DocumentDiagnosticReportKind,
  type PreviousResultId,
  type TextDocuments,
  type WorkspaceDocumentDiagnosticReport
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { messageOf } from '../../shared/failure';
import type { Log } from '../platform/log';
import { ChangeSignal } from './change-signal';
import { placeOf } from './file-path';
import type { UnopenedManifests, UnopenedReport } from './unopened-manifests';

export interface WorkspaceDiagnosticsOptions {
  /** Whether the editor declared that it asks for diagnostics. */
  readonly asks: boolean;
  readonly unopened: UnopenedManifests;
  /** Resolves when every question about an open document that was asked by now is answered. */
  readonly answered: () => Promise<unknown>;
  readonly log: Log;
}

/** Reports about the manifests that are not open. */
export interface WorkspaceDiagnostics {
  /** To be called when the findings in one of them may not be what they were. */
  readonly look: () => void;
  /** Answers what is held open. */
  readonly close: () => void;
}

/** Reports by the channel that the editor uses for open documents, too; an open document is none of ours. */
export function serveWorkspaceDiagnostics(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  options: WorkspaceDiagnosticsOptions
): WorkspaceDiagnostics {
  return options.asks ? serveAsked(connection, documents, options) : serveUnasked(connection, documents, options);
}

function openPlaces(documents: TextDocuments<TextDocument>): (place: string) => boolean {
  return (place) => documents.keys().some((uri) => placeOf(uri) === place);
}

/** A question is held open until there is something to answer. */
function serveAsked(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  { unopened, answered }: WorkspaceDiagnosticsOptions
): WorkspaceDiagnostics {
  const changes = new ChangeSignal();
  let isClosed = false;
  const isOpen = openPlaces(documents);
  // Of these the editor may show what was found in a text that was never saved.
  const closed = new Map<string, string>();
  documents.onDidOpen(({ document: { uri } }) => closed.delete(placeOf(uri)));
  documents.onDidClose(({ document: { uri } }) => {
    closed.set(placeOf(uri), uri);
    changes.notify();
  });
  const answer = async (known: readonly PreviousResultId[]): Promise<WorkspaceDocumentDiagnosticReport[]> => {
    await answered();
    const reports = await unopened.reports(isOpen);
    const previous = new Map(known.map((result) => [placeOf(result.uri), result]));
    const places = new Set([...reports.keys(), ...previous.keys(), ...closed.keys()]);
    return [...places].flatMap((place) => {
      if (isOpen(place)) return [];
      const uri = closed.get(place) ?? previous.get(place)?.uri ?? pathToFileURL(place).href;
      const resultId = closed.has(place) ? undefined : previous.get(place)?.value;
      return reportOf(uri, reports.get(place), resultId);
    });
  };
  const hold = async (known: readonly PreviousResultId[], token: CancellationToken) => {
    for (;;) {
      const moment = changes.now;
      const items = await answer(known);
      if (token.isCancellationRequested) return { items: [] };
      for (const { uri } of items) closed.delete(placeOf(uri));
      const isNews = items.some(({ kind }) => kind === DocumentDiagnosticReportKind.Full);
      if (isNews || isClosed) return { items };
      await changes.after(moment, token);
    }
  };
  connection.languages.diagnostics.onWorkspace(({ previousResultIds }, token) => hold(previousResultIds, token));
  return {
    look: () => changes.notify(),
    close: () => {
      isClosed = true;
      changes.notify();
    }
  };
}

/** @param report undefined: it is no manifest, or not there @param known the result that the editor has */
function reportOf(
  uri: string,
  report: UnopenedReport | undefined,
  known: string | undefined
): WorkspaceDocumentDiagnosticReport {
  if (!report) return { kind: DocumentDiagnosticReportKind.Full, uri, version: null, items: [] };
  const { resultId, items } = report;
  if (resultId === known) return { kind: DocumentDiagnosticReportKind.Unchanged, uri, version: null, resultId };
  return { kind: DocumentDiagnosticReportKind.Full, uri, version: null, resultId, items: [...items] };
}

/** Everything is sent once, and what changed again. */
function serveUnasked(
  connection: Connection,
  documents: TextDocuments<TextDocument>,
  { unopened, log }: WorkspaceDiagnosticsOptions
): WorkspaceDiagnostics {
  const isOpen = openPlaces(documents);
  // What the editor shows of documents that are not open, by place; without a result, nobody knows.
  const told = new Map<string, { readonly uri: string; readonly resultId?: string }>();
  documents.onDidOpen(({ document: { uri } }) => told.delete(placeOf(uri)));
  const tell = async (): Promise<void> => {
    const reports = await unopened.reports(isOpen);
    for (const place of new Set([...reports.keys(), ...told.keys()])) {
      const report = reports.get(place);
      const last = told.get(place);
      const isNothingNew = report ? (last ? last.resultId === report.resultId : report.items.length === 0) : !last;
      if (isOpen(place) || isNothingNew) continue;
      const uri = last?.uri ?? pathToFileURL(place).href;
      if (report) told.set(place, { uri, resultId: report.resultId });
      else told.delete(place);
      await connection.sendDiagnostics({ uri, diagnostics: [...(report?.items ?? [])] });
    }
  };
  const look = oneAtATime(tell, (error) => log.error('failed workspace diagnostics', { reason: messageOf(error) }));
  documents.onDidClose(({ document: { uri } }) => {
    told.set(placeOf(uri), { uri });
    look();
  });
  return { look, close: () => undefined };
}

/** Makes something that may be asked for at any time: asked for while it runs, it runs once more afterwards. */
function oneAtATime(work: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await work().catch(onError);
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}
