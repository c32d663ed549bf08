import { Failure } from '../../../shared/failure';
import { parseModelName } from '../../../shared/model-name';
import type { Publication, StoreListing } from '../../../shared/publication';
import { type IndexEntry, readIndex } from '../../artifacts/publications/publication-index';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { combinedHashOf } from './bundle-artifact';
import { namedStores } from './known-stores';
import { openStore } from './open-store';

/** The stores of the settings, each with what it says it holds; one that cannot be asked is told with the reason. */
export async function listStores(services: Services, signal: AbortSignal): Promise<readonly StoreListing[]> {
  return Promise.all(Object.keys(namedStores(services)).map((name) => listStore(services, name, signal)));
}

/**
 * What a store says it holds.
 * @param named a name of the settings, or an address
 * @throws Failure('cancelled') only; any other is a part of the answer
 */
export async function listStore(services: Services, named: string, signal: AbortSignal): Promise<StoreListing> {
  const stores = namedStores(services);
  const url = Object.hasOwn(stores, named) ? stores[named]?.url : undefined;
  const facts = { name: named, url: url ?? named };
  try {
    requireTrust(services, 'Looking into team stores');
    const store = await openStore(services, named);
    const entries = (await readIndex(store, signal)) ?? [];
    return { ...facts, publications: await Promise.all(entries.map((entry) => publicationOf(services, entry))) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    return { ...facts, publications: [], failure: error.toJSON() };
  }
}

async function publicationOf(services: Services, entry: IndexEntry): Promise<Publication> {
  const { name, holds, combined, bytes, files, published_at_unix_ms: publishedAtUnixMs } = entry;
  return { name, holds, combined, bytes, files, publishedAtUnixMs, isInstalled: await isInstalled(services, entry) };
}

async function isInstalled({ survey }: Services, { name: text, holds, combined }: IndexEntry): Promise<boolean> {
  const name = parseModelName(text);
  if (!name || holds !== 'model') return false;
  const bundle = await survey.look(name);
  return bundle.kind === 'present' && bundle.problems.length === 0 && combinedHashOf(bundle.manifest) === combined;
}
