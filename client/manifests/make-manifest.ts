import { Position, ProgressLocation, type TextDocument, Uri, WorkspaceEdit, window, workspace } from 'vscode';
import { WorkDoneProgress } from 'vscode-languageclient/node';
import { MakeManifest, type ManifestOrigin } from '../../shared/protocol';
import type { ActionParts } from '../models/action-parts';
import { sayFailed, sayWarning } from '../support/messages';

/** Makes a manifest of the weights in a folder and shows it, to be saved there. @param uri absent: asks for one */
export async function makeManifestFromFolder(parts: ActionParts, uri?: Uri): Promise<void> {
  const folder = uri ?? (await askFolder());
  if (!folder) return;
  await make(parts, { kind: 'folder', uri: folder.toString() }, Uri.joinPath(folder, 'manifest.json'));
}

/** Asks for a repository of the hub, makes a manifest of its weights, and shows it. */
export async function makeManifestFromHub(parts: ActionParts): Promise<void> {
  const reference = await window.showInputBox({
    title: 'Make a Manifest from a Hugging Face Repository',
    prompt: 'Which repository? A path behind it takes only what lies there.',
    placeHolder: 'owner/repo, owner/repo@revision/path, or the address of its page',
    ignoreFocusOut: true
  });
  if (!reference?.trim()) return;
  const [root] = workspace.workspaceFolders ?? [];
  await make(parts, { kind: 'hub', reference: reference.trim() }, root && Uri.joinPath(root.uri, 'manifest.json'));
}

async function make({ connection, log }: ActionParts, from: ManifestOrigin, place: Uri | undefined): Promise<void> {
  const options = { location: ProgressLocation.Notification, title: 'Making a manifest', cancellable: true };
  try {
    const { text, notes } = await window.withProgress(options, async (progress, token) => {
      const client = await connection.client();
      const workDoneToken = crypto.randomUUID();
      let reported = 0;
      const listening = client.onProgress(WorkDoneProgress.type, workDoneToken, (event) => {
        if (event.kind !== 'report') return;
        const { percentage = reported, message = '' } = event;
        progress.report({ increment: percentage - reported, message });
        reported = percentage;
      });
      try {
        return await client.sendRequest(MakeManifest, { from, workDoneToken }, token);
      } finally {
        listening.dispose();
      }
    });
    await window.showTextDocument(await newDocument(text, place), { preview: false });
    if (notes.length > 0) sayWarning(notes.slice(0, 3).join(' '));
  } catch (error) {
    sayFailed(log, error);
  }
}

/** A document that would be saved at a place, or anywhere when something lies there already. */
async function newDocument(content: string, place: Uri | undefined): Promise<TextDocument> {
  if (!place || (await exists(place))) return workspace.openTextDocument({ language: 'json', content });
  const document = await workspace.openTextDocument(place.with({ scheme: 'untitled' }));
  if (document.getText() !== '') return workspace.openTextDocument({ language: 'json', content });
  const edit = new WorkspaceEdit();
  edit.insert(document.uri, new Position(0, 0), content);
  await workspace.applyEdit(edit);
  return document;
}

async function exists(uri: Uri): Promise<boolean> {
  return workspace.fs.stat(uri).then(
    () => true,
    () => false
  );
}

async function askFolder(): Promise<Uri | undefined> {
  const chosen = await window.showOpenDialog({
    title: 'Make a Manifest from a Folder',
    openLabel: 'Make Manifest',
    canSelectFiles: false,
    canSelectFolders: true
  });
  return chosen?.[0];
}
