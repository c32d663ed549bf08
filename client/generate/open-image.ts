import { commands, env, type QuickPickItem, Uri, window } from 'vscode';
import { agoText } from '../../shared/byte-text';
import type { GalleryImage } from '../../shared/gallery-image';
import { ListImages } from '../../shared/protocol';
import type { ActionParts } from '../models/action-parts';
import { COMMANDS } from '../support/commands';
import { sayDone, sayFailed } from '../support/messages';

/** Lists what was generated on this machine, the latest first, and opens what the user chooses. */
export async function openGeneratedImage({ connection, log }: ActionParts): Promise<void> {
  try {
    const client = await connection.client();
    const images = await client.sendRequest(ListImages);
    if (images.length === 0) {
      const generate = { title: 'Generate Image', run: () => commands.executeCommand(COMMANDS.generate) };
      sayDone('No image was generated on this machine yet.', generate);
      return;
    }
    const now = Date.now();
    const chosen = await window.showQuickPick(
      images.map((image) => itemOf(image, now)),
      { title: 'Open which image?', placeHolder: 'Search by prompt or model', matchOnDescription: true }
    );
    if (chosen) await openImage(chosen.image);
  } catch (error) {
    sayFailed(log, error);
  }
}

/** Opens an image. The editor plays no AVI, so a video opens in the program that the system has for it. */
export async function openImage({ path, frames }: Pick<GalleryImage, 'path' | 'frames'>): Promise<void> {
  const file = Uri.file(path);
  if (frames === undefined) await commands.executeCommand('vscode.open', file);
  else await env.openExternal(file);
}

function itemOf(image: GalleryImage, now: number): QuickPickItem & { readonly image: GalleryImage } {
  const { label, model, width, height, frames, createdAtUnixMs } = image;
  const what = frames === undefined ? [] : [`${frames} frames`];
  const facts = [model, `${width} × ${height}`, ...what, agoText(createdAtUnixMs, now)];
  return { label: label.replaceAll(/\s+/g, ' ').trim() || 'no prompt', description: facts.join(' · '), image };
}
