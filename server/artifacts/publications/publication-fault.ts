import { Failure } from '../../../shared/failure';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';

/** The failure of a publication that is not what it has to be; it names the key. */
export function badPublication(
  { label }: Pick<ObjectStore, 'label'>,
  key: StoreKey,
  message: string,
  nextStep = 'Publish the model again.'
): Failure {
  return new Failure('bad-publication', message, { subject: `${label}/${key}`, nextStep });
}

/** The failure of whoever reads what only a later version understands. */
function neededNewer(store: Pick<ObjectStore, 'label'>, key: StoreKey): Failure {
  return badPublication(
    store,
    key,
    'This was written by a newer version of Diffusion Dock.',
    'Update Diffusion Dock, then try again.'
  );
}

/** Reads JSON that a store holds. @throws Failure('bad-publication') */
export function parseJson(store: Pick<ObjectStore, 'label'>, key: StoreKey, bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw badPublication(store, key, 'What the store holds there is not JSON.');
  }
  if (isNewer(value)) throw neededNewer(store, key);
  return value;
}

function isNewer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'version' in value && Number(value.version) > 1;
}
