import { dirname, resolve } from 'node:path';
import type { FolderEntry } from '../knowledge';
import { type ManifestCompletion, snippetText, type ValueRequest } from './completion';

/** How addresses begin, and what each leads to. */
const BEGINNINGS = [
  [
    'hf:',
    'a file of a Hugging Face repository: hf:owner/repo@revision/path',
    'hf:${1:owner}/${2:repo}@${3:revision}/${4:path}'
  ],
  ['https://', 'a file of a web server', 'https://$1'],
  ['s3://', 'an object of a bucket: s3://bucket/key', 's3://${1:bucket}/${2:key}'],
  ['file:///', 'a file of this machine, by its absolute path', 'file:///$1']
] as const;

/** Beginnings of addresses, and the files beside the manifest. */
export async function completeAddress({ place, knowledge, folder }: ValueRequest): Promise<ManifestCompletion[]> {
  const beginnings = BEGINNINGS.map(
    ([label, detail, snippet], rank): ManifestCompletion => ({
      label,
      kind: 'option',
      detail,
      range: place.written,
      snippet: `"${snippet}"`,
      plain: `"${label}"`,
      rank
    })
  );
  const isRelative = !/^[a-z][a-z0-9+.-]*:/i.test(place.typed) && !place.typed.startsWith('/');
  if (folder === undefined || !isRelative) return beginnings;
  const parent = place.typed.includes('/') ? place.typed.slice(0, place.typed.lastIndexOf('/') + 1) : '';
  const entries = await knowledge.entriesOf(resolve(folder, parent === '' ? '.' : dirname(`${parent}x`)));
  return [...beginnings, ...entries.filter(isWorthNaming).map((entry) => pathCompletion(entry, parent, place.written))];
}

function isWorthNaming({ name }: FolderEntry): boolean {
  return !name.startsWith('.') && !/manifest\.json$/i.test(name);
}

function pathCompletion(
  { name, isFolder }: FolderEntry,
  parent: string,
  range: ManifestCompletion['range']
): ManifestCompletion {
  const json = JSON.stringify(`${parent}${name}${isFolder ? '/' : ''}`);
  // The caret stays within the quotes of a folder, for the path goes on.
  const snippet = isFolder ? `${snippetText(json.slice(0, -1))}$1"` : snippetText(json);
  const label = `${parent}${name}${isFolder ? '/' : ''}`;
  return { label, kind: isFolder ? 'folder' : 'file', range, snippet, plain: json, rank: isFolder ? 20 : 10 };
}
