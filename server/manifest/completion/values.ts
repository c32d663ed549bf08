import { isRole, ROLE_MEANINGS } from '../../../shared/roles';
import { SAMPLING_METHODS, SCHEDULERS } from '../../../shared/sampling';
import { usualValues } from '../../weights/recipes';
import { fileNameOf } from '../file-name-of';
import { entryTexts } from '../files';
import { optionsOf, schemaAt } from '../schema-at';
import { stringOf } from '../text/document';
import { fits, type Place } from '../text/place';
import { completeAddress } from './addresses';
import { type ManifestCompletion, snippetText, type ValueRequest } from './completion';
import { completeHubAddress, isHubAddress } from './hub-addresses';

/** The values that fit at a place. */
export async function completeValue(request: ValueRequest): Promise<ManifestCompletion[]> {
  const { dialect, place, knowledge } = request;
  const { path } = place;
  const schema = schemaAt(dialect, path);
  if (!schema) return [];
  if (fits(path, 'files.*.role')) return roleOptions(request);
  if (fits(path, 'defaults.sampling_method')) return options(place, SAMPLING_METHODS, 'sampler');
  if (fits(path, 'defaults.scheduler')) return options(place, SCHEDULERS, 'noise schedule');
  if (fits(path, 'credential_alias'))
    return options(place, await knowledge.credentialAliases(), 'stored credential', 'reference');
  if (dialect === 'source' && fits(path, 'files.*.url')) {
    return isHubAddress(place.typed) && request.hub ? completeHubAddress(request) : completeAddress(request);
  }
  if (dialect === 'source' && fits(path, 'files.*.filename')) return fileNames(request);
  if (fits(path, 'defaults.*')) return usualOptions(place);
  return options(place, optionsOf(schema) ?? []);
}

/** What is usual for the kinds of models that have it. */
function usualOptions(place: Place): ManifestCompletion[] {
  const values = [...usualValues(String(place.path.at(-1)))];
  return values.map(([value, names], rank) => option(place, value, { detail: names.join(', '), kind: 'option', rank }));
}

/** Roles that no other file has come first: a model seldom has two of one role, apart from LoRAs. */
function roleOptions({ document, place, dialect }: ValueRequest): ManifestCompletion[] {
  const schema = schemaAt(dialect, place.path);
  const taken = new Set(entryTexts(document, 'role').map(({ value }) => value));
  return options(place, (schema && optionsOf(schema)) ?? []).map((role) => ({
    ...role,
    ...(isRole(role.label) && { documentation: ROLE_MEANINGS[role.label] }),
    rank: role.rank + (taken.has(role.label) ? 100 : 0)
  }));
}

/** The name that the address ends with. */
function fileNames({ document, place }: ValueRequest): ManifestCompletion[] {
  const url = stringOf(document.nodeAt([...place.path.slice(0, -1), 'url']));
  const name = url === undefined ? undefined : fileNameOf(url);
  return name === undefined ? [] : options(place, [name], 'from the address', 'file');
}

function options(
  place: Place,
  texts: readonly string[],
  detail?: string,
  kind: ManifestCompletion['kind'] = 'option'
): ManifestCompletion[] {
  return texts.map((text, rank) => option(place, text, { detail, kind, rank }));
}

interface OptionFacts {
  readonly detail: string | undefined;
  readonly kind: ManifestCompletion['kind'];
  readonly rank: number;
}

function option(place: Place, value: string | number, { detail, kind, rank }: OptionFacts): ManifestCompletion {
  const json = JSON.stringify(value);
  return {
    label: String(value),
    kind,
    ...(detail !== undefined && { detail }),
    range: place.written,
    snippet: snippetText(json),
    plain: json,
    rank
  };
}
