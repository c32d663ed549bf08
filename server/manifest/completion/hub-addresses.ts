import { parseSourceAddress } from '../../../shared/source-address';
import { writtenPath } from '../hub-file';
import { type ManifestCompletion, snippetText, type ValueRequest } from './completion';

/** Shorter texts are in the names of too many repositories. */
const SHORTEST_SEARCH = 2;

/** Nobody scrolls through more. */
const MOST_FILES = 200;

/** Whether what is typed is the address of something on the hub, whose completions change with every letter. */
export function isHubAddress(typed: string): boolean {
  return typed.startsWith('hf:');
}

/** Repositories of the hub, and behind a repository its files, as somebody types an address. */
export async function completeHubAddress({ place, hub }: ValueRequest): Promise<ManifestCompletion[]> {
  const { typed, written: range } = place;
  if (!hub || !isHubAddress(typed)) return [];
  const [, lead, path] = /^(hf:[^/]+\/[^/]+\/)(.*)$/.exec(typed) ?? [];
  if (lead !== undefined && path !== undefined) {
    const repository = parseSourceAddress(`${lead}any-file`);
    if (repository.kind !== 'hub') return [];
    const files = await hub.files(repository);
    return files
      .flatMap((file) => writtenPath(file) ?? [])
      .filter((file) => file.toLowerCase().startsWith(path.toLowerCase()))
      .slice(0, MOST_FILES)
      .map((file, rank): ManifestCompletion => {
        const plain = JSON.stringify(`${lead}${file}`);
        return { label: `${lead}${file}`, kind: 'file', range, snippet: snippetText(plain), plain, rank };
      });
  }
  const search = typed.slice('hf:'.length);
  if (search.length < SHORTEST_SEARCH || search.includes('@')) return [];
  return (await hub.repositories(search)).map((name, rank) => {
    const label = `hf:${name}/`;
    const json = JSON.stringify(label);
    // The caret stays within the quotes, for the path goes on.
    const snippet = `${snippetText(json.slice(0, -1))}$1"`;
    return { label, kind: 'folder', detail: 'Hugging Face repository', range, snippet, plain: json, rank };
  });
}
