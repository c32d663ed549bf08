import { window } from 'vscode';
import { ListResidentModels, type ResidentModel, UnloadResidentModel } from '../../shared/protocol';
import type { ActionParts } from '../models/action-parts';
import { sayDone, sayFailed } from '../support/messages';

/** Unloads a model that stays loaded; asks which, when there are several. */
export async function unloadResident({ connection, log }: ActionParts): Promise<void> {
  try {
    const client = await connection.client();
    const loaded = await client.sendRequest(ListResidentModels);
    const chosen = await choose(loaded);
    if (!chosen) return;
    await client.sendRequest(UnloadResidentModel, { name: chosen.model });
    sayDone(
      chosen.isGenerating ? `${chosen.model} is unloaded when its image is done.` : `${chosen.model} is unloaded.`
    );
  } catch (error) {
    sayFailed(log, error);
  }
}

async function choose(loaded: readonly ResidentModel[]): Promise<ResidentModel | undefined> {
  const [first, ...others] = loaded;
  if (!first) {
    sayDone('No model is loaded. Models stay loaded only in resident mode (setting diffusionDock.engine.resident).');
    return undefined;
  }
  if (others.length === 0) return first;
  const items = loaded.map((model) => ({
    label: model.model,
    ...(model.isGenerating && { description: 'generating' }),
    model
  }));
  const chosen = await window.showQuickPick(items, { title: 'Unload which model?' });
  return chosen?.model;
}
