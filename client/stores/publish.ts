import { type QuickPickItem, QuickPickItemKind, window } from 'vscode';
import { byteText } from '../../shared/byte-text';
import type { ModelSummary } from '../../shared/model';
import { PublishModel } from '../../shared/protocol';
import { SETTINGS } from '../../shared/settings';
import { heal, verify } from '../models/model-actions';
import { pull } from '../models/pull-actions';
import { openMachineSetting, sayDone, sayFailed } from '../support/messages';
import { listedStores } from '../support/settings';
import { publishedText } from './published-text';
import type { StoreParts } from './store-actions';

/** Publishes an installed model to a team store that the user chooses. */
export async function publish(parts: StoreParts, model: ModelSummary): Promise<void> {
  const store = await pickStore(model);
  if (store !== undefined) await publishNow(parts, model, store);
}

async function publishNow(parts: StoreParts, model: ModelSummary, store: string): Promise<void> {
  const { name } = model;
  try {
    const title = `Publishing ${name} to ${store}`;
    const result = await parts.jobs.run({ model: name, kind: 'publish', title }, async (token) => {
      const client = await parts.connection.client();
      return client.sendRequest(PublishModel, { name, store }, token);
    });
    sayDone(publishedText(store, result));
  } catch (error) {
    const again = (): Promise<void> => publishNow(parts, model, store);
    sayFailed(parts.log, error, {
      about: name,
      retry: again,
      retryWith: again,
      pull: () => pull(parts, model),
      verify: () => verify(parts, model),
      heal: () => heal(parts, model)
    });
  } finally {
    parts.listings.invalidate(store);
  }
}

interface StoreItem extends QuickPickItem {
  /** Absent for what opens the settings. */
  readonly store?: string;
}

/** @returns undefined when the user leaves, or goes to the settings to name a store */
async function pickStore({ name, bytes }: ModelSummary): Promise<string | undefined> {
  const stores = listedStores().map(
    ({ name: store, url }): StoreItem => ({
      label: `$(cloud-upload) ${store}`,
      description: url,
      store
    })
  );
  const add: StoreItem = {
    label: '$(add) Add a Team Store…',
    detail: 'Opens the setting: a bucket (s3://, r2://) or a shared folder (file:)'
  };
  const separator: StoreItem = { label: '', kind: QuickPickItemKind.Separator };
  const size = bytes === undefined ? '' : ` (${byteText(bytes)})`;
  const chosen = await window.showQuickPick(stores.length === 0 ? [add] : [...stores, separator, add], {
    title: `Publish ${name}${size} to which team store?`
  });
  if (chosen && chosen.store === undefined) await openMachineSetting(SETTINGS.stores.key);
  return chosen?.store;
}
