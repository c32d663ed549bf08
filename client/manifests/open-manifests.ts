import { Disposable, type TextDocument, workspace } from 'vscode';
import { mayBeModelManifest, SNIFFED_BYTES } from '../../shared/manifest/candidate';
import type { ServerConnection } from '../support/server-connection';
import { isCandidate, isIncluded } from './manifest-patterns';

/** Starts the server, once, when a document that may be a model manifest is open or is being written. */
export function startForOpenManifests(connection: ServerConnection): Disposable {
  const look = (document: TextDocument): void => {
    if (connection.state !== 'idle' || !isCandidate(document)) return;
    if (isIncluded(document) || mayBeModelManifest(beginningOf(document))) void connection.ensureStarted();
  };
  for (const document of workspace.textDocuments) look(document);
  return Disposable.from(
    workspace.onDidOpenTextDocument(look),
    workspace.onDidChangeTextDocument(({ document }) => look(document))
  );
}

function beginningOf(document: TextDocument): string {
  return document.getText().slice(0, SNIFFED_BYTES);
}
