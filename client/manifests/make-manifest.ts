import { commands, Position, ProgressLocation, type TextDocument, Uri, WorkspaceEdit, window, workspace } from 'vscode';
import { WorkDoneProgress } from 'vscode-languageclient/node';
import { type MadeManifest, MakeManifest, type ManifestOrigin } from '../../shared/protocol';
import type { ActionParts } from '../models/action-parts';
import { SHOW_MODELS } from '../support/commands';
import { type NextStep, sayDone, sayFailed, sayWarning } from '../support/messages';

/** Makes a manifest of the weights in a folder and shows it, to be saved there. @param uri absent: asks for one */
export async function makeManifestFromFolder(parts: ActionParts, uri?: Uri): Promise<void> {
  const folder = uri ?? (await askFolder());
  if (!folder) return;
  await make(parts, { kind: 'folder', uri: folder.toString() }, folder);
}

/**
 * Makes a manifest of the weights in a repository of the hub and shows it.
 * @param reference what of the hub is meant, where somebody knows; asked for else
 */
export async function makeManifestFromHub(parts: ActionParts, reference?: string): Promise<void> {
  const wanted = (reference ?? (await askReference()))?.trim();
  if (!wanted) return;
  const [root] = workspace.workspaceFolders ?? [];
  await make(parts, { kind: 'hub', reference: wanted }, root?.uri);
}

async function askReference(): Promise<string | undefined> {
  return window.showInputBox({
    title: 'Add Model from Hugging Face',
    prompt:
      'Write owner/repo, owner/repo@revision/path, or the address of its page. A path takes only what lies there.',
    placeHolder: `for example ${EXAMPLE}`,
    ignoreFocusOut: true
  });
}

/** A model in one file. */
const EXAMPLE = 'Comfy-Org/stable-diffusion-v1-5-archive/v1-5-pruned-emaonly-fp16.safetensors';

/** @param folder where the manifest is to be saved, if anybody knows */
async function make({ connection, log }: ActionParts, from: ManifestOrigin, folder: Uri | undefined): Promise<void> {
  const options = { location: ProgressLocation.Notification, title: 'Making a manifest', cancellable: true };
  try {
    const made = await window.withProgress(options, async (progress, token) => {
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
    const place = await freePlace(made.name, folder);
    const document = await newDocument(made.text, place);
    await window.showTextDocument(document, { preview: false });
    sayMade(made, document, place);
  } catch (error) {
    sayFailed(log, error);
  }
}

/** Says what the manifest still needs; models are listed once their manifests are saved in the workspace. */
function sayMade({ name, notes }: MadeManifest, document: TextDocument, place: Uri | undefined): void {
  const isListed = place !== undefined && workspace.getWorkspaceFolder(place) !== undefined;
  const rest = isListed
    ? `Save the manifest, and ${name} can be pulled.`
    : `Save it as manifest.json in a folder that is open here, and ${name} can be pulled.`;
  const step: NextStep = {
    title: 'Save',
    run: async () => {
      if (!document.isClosed) await save(document);
      if (isListed) await commands.executeCommand(SHOW_MODELS);
    }
  };
  if (notes.length === 0) sayDone(rest, step);
  else sayWarning([...notes.slice(0, 3), rest].join(' '), step);
}

/** As the user would: the document's own way to save a new one would close its editor. */
async function save(document: TextDocument): Promise<void> {
  await window.showTextDocument(document, { preview: false });
  await commands.executeCommand('workbench.action.files.save');
}

/** Where a manifest may be saved in a folder under a name that manifests are known by; undefined when both are taken. */
async function freePlace(model: string, folder: Uri | undefined): Promise<Uri | undefined> {
  if (!folder) return undefined;
  for (const name of ['manifest.json', `${model}.manifest.json`]) {
    const place = Uri.joinPath(folder, name);
    if (!(await exists(place)) && !isOpen(untitled(place))) return place;
  }
  return undefined;
}

/** A document that would be saved at a place, or anywhere. */
async function newDocument(content: string, place: Uri | undefined): Promise<TextDocument> {
  if (!place) return workspace.openTextDocument({ language: 'json', content });
  const document = await workspace.openTextDocument(untitled(place));
  const edit = new WorkspaceEdit();
  edit.insert(document.uri, new Position(0, 0), content);
  await workspace.applyEdit(edit);
  return document;
}

function untitled(place: Uri): Uri {
  return place.with({ scheme: 'untitled' });
}

function isOpen(uri: Uri): boolean {
  return workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
}

async function exists(uri: Uri): Promise<boolean> {
  return workspace.fs.stat(uri).then(
    () => true,
    () => false
  );
}

async function askFolder(): Promise<Uri | undefined> {
  const chosen = await window.showOpenDialog({
    title: 'Add Model from Folder',
    openLabel: 'Add Model',
    canSelectFiles: false,
    canSelectFolders: true
  });
  return chosen?.[0];
}
