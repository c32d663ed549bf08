import { type ModelName, modelKey } from '../../../shared/model-name';
import { nonce } from '../../platform/process-identity';
import { keyBelow, parseStoreKey, type StoreKey, storeKey } from '../store-key';

/** The document that lists every publication, for people. */
export const INDEX_KEY: StoreKey = storeKey({ reserved: '_dock' }, 'index.json');

/** The last file of an attempt: with it, the attempt is whole. */
export const MANIFEST_FILE = 'manifest.json';

/** The file of an artifact that says what its other files are for. */
export const FACTS_FILE = 'diffusion-dock.json';

/** The document that says which attempt is the publication of a name; one for all spellings of it. */
export function pointerKey(name: ModelName): StoreKey {
  return storeKey(modelKey(name), { reserved: '_current.json' });
}

/** Where the files of one attempt lie. @param attempt as {@link newAttempt} makes it */
function attemptKey(name: ModelName, attempt: string): StoreKey {
  return storeKey(modelKey(name), attempt);
}

/** Where a file of an attempt lies. @param file its name, in which `/` separates folders */
export function fileKey(name: ModelName, attempt: string, file: string): StoreKey {
  return keyBelow(attemptKey(name, attempt), ...file.split('/'));
}

/** Folders that people or other programs make in the same store hardly look like this, so none is taken for ours. */
const ATTEMPT = /^\d{8}t\d{6}z-[0-9a-f]{16}$/;

/** Whether a text is the name of an attempt. */
export function isAttempt(text: string): boolean {
  return ATTEMPT.test(text);
}

/** A name that no other attempt has. @param now ms since the epoch */
export function newAttempt(now: number): string {
  const time = new Date(now).toISOString().replace(/\.\d+|[-:]/g, '');
  return `${time.toLowerCase()}-${nonce()}`;
}

/** When an attempt was begun, by the clock of whoever began it, in ms since the epoch. */
export function attemptTime(attempt: string): number {
  const time = attempt.replace(/^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z.*$/, '$1-$2-$3T$4:$5:$6Z');
  return Date.parse(time) || 0;
}

/** An object of an attempt, as a store lists it. */
export interface AttemptPlace {
  /** The document that may name the attempt. */
  readonly pointer: StoreKey;
  readonly attempt: string;
  /** The attempt's own key; unlike others for any other name or attempt. */
  readonly prefix: string;
}

/** @returns undefined for a key that lies in no attempt */
export function attemptOf(key: StoreKey): AttemptPlace | undefined {
  const [name, attempt, ...file] = key.split('/');
  if (attempt === undefined || file.length === 0 || !isAttempt(attempt)) return undefined;
  const pointer = parseStoreKey(`${name}/_current.json`);
  return pointer && { pointer, attempt, prefix: `${name}/${attempt}` };
}

/** Whether a listed key is that of a pointer. */
export function isPointerKey(key: StoreKey): boolean {
  return /^[^/]+\/_current\.json$/.test(key);
}
