import { Failure } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import { parseStoreAddress, type StoreAddress } from '../../../shared/store-address';
import { type StoreSetting, type StoreSettings, storeSettings } from '../../../shared/store-settings';
import type { Services } from '../services';

/** Names stores where no editor does: JSON, as in the setting. */
const STORES_VARIABLE = 'DIFFUSION_DOCK_STORES';

/** A store that can be opened. */
export interface KnownStore extends StoreSetting {
  readonly address: Exclude<StoreAddress, { readonly kind: 'refused' }>;
}

/**
 * All stores that have a name: those of the settings, and those of the environment.
 * @throws Failure('wrong-usage') when the environment makes no sense
 */
export function namedStores({ stores, environment }: Pick<Services, 'stores' | 'environment'>): StoreSettings {
  const text = environment[STORES_VARIABLE]?.trim();
  if (!text) return stores ?? {};
  const parsed = storeSettings.safeParse(parsedJson(text));
  if (parsed.success) return { ...parsed.data, ...stores };
  throw new Failure('wrong-usage', `${STORES_VARIABLE} is not a JSON object of names and addresses.`, {
    subject: STORES_VARIABLE,
    nextStep: 'Write it as in { "team": "s3://bucket/models" }.'
  });
}

/**
 * What is known of a store by its name or its address.
 * @throws Failure('wrong-usage') when there is no such store, or its address makes no sense
 */
export function knownStore(services: Pick<Services, 'stores' | 'environment'>, nameOrUrl: string): KnownStore {
  const named = namedStores(services);
  const setting = Object.hasOwn(named, nameOrUrl) ? named[nameOrUrl] : undefined;
  if (setting) return { ...setting, address: checked(setting.url, nameOrUrl) };
  if (!/^[a-z][a-z0-9]+:/i.test(nameOrUrl)) throw unknown(nameOrUrl, Object.keys(named));
  return { url: nameOrUrl, address: checked(nameOrUrl, nameOrUrl) };
}

function checked(url: string, subject: string): KnownStore['address'] {
  const address = parseStoreAddress(url);
  if (address.kind !== 'refused') return address;
  throw new Failure('wrong-usage', `The address of the store ${address.reason}.`, {
    subject,
    nextStep: `Correct it, in ${SETTINGS.stores.key} if it is named there.`,
    remedy: { kind: 'setting', key: SETTINGS.stores.key }
  });
}

function unknown(name: string, names: readonly string[]): Failure {
  const known = names.length === 0 ? 'No store has a name yet' : `Stores are: ${names.join(', ')}`;
  return new Failure('wrong-usage', `There is no store named “${name}”.`, {
    subject: name,
    nextStep: `${known}. Name them in ${SETTINGS.stores.key}, or give an address such as s3://bucket/prefix.`,
    remedy: { kind: 'setting', key: SETTINGS.stores.key }
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
