import { commands, type TextDocument, type Uri, window, workspace } from 'vscode';
import { ExplainRecognition } from '../../shared/protocol';
import { SETTINGS } from '../../shared/settings';
import type { ActionParts } from '../models/action-parts';
import { type NextStep, sayDone, sayFailed } from '../support/messages';
import { isCandidate } from './manifest-patterns';

const openSettings: NextStep = {
  title: 'Open Settings',
  run: () => commands.executeCommand('workbench.action.openSettings', SETTINGS.manifestInclude.key.replace(/\w+$/, ''))
};

/** Says why a document is treated as a model manifest, or is not. @param uri absent: that of the active editor */
export async function explainManifest({ connection, log }: ActionParts, uri?: Uri): Promise<void> {
  try {
    const document = uri ? await workspace.openTextDocument(uri) : window.activeTextEditor?.document;
    if (!document) {
      sayDone('Open the file that you want to know about first.');
      return;
    }
    const obstacle = obstacleOf(document);
    if (obstacle !== undefined) {
      sayDone(obstacle, openSettings);
      return;
    }
    const client = await connection.client();
    const params = { uri: client.code2ProtocolConverter.asUri(document.uri), text: document.getText() };
    sayDone(await client.sendRequest(ExplainRecognition, params), openSettings);
  } catch (error) {
    sayFailed(log, error);
  }
}

/** Why a document is not even looked at. */
function obstacleOf(document: TextDocument): string | undefined {
  const what = 'This is not treated as a model manifest';
  if (document.uri.scheme !== 'file') return `${what}: it is no file of this machine; save it as one first.`;
  if (!['json', 'jsonc'].includes(document.languageId)) return `${what}: its language mode is not JSON.`;
  if (isCandidate(document)) return undefined;
  const names = 'it is called neither manifest.json nor NAME.manifest.json';
  return `${what}: ${names}, and the setting ${SETTINGS.manifestInclude.key} does not name it.`;
}
