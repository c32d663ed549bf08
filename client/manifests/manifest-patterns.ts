import { languages, RelativePattern, type TextDocument, type Uri, workspace } from 'vscode';
import type { InitializationOptions } from '../../shared/initialization';
import { hasCandidateName } from '../../shared/manifest/candidate';
import { manifestExclude, manifestInclude } from '../support/settings';

/** The names that make a file a candidate anywhere. */
const CANDIDATE_NAMES = '**/{manifest.json,*.manifest.json}';

/** What the user's own patterns add, for each workspace folder. */
function includedPatterns(): RelativePattern[] {
  return (workspace.workspaceFolders ?? []).flatMap((folder) =>
    manifestInclude(folder).map((pattern) => new RelativePattern(folder, pattern))
  );
}

/** What the server is told: which of the documents it sees count whatever they hold, and which never do. */
export function manifestPatterns(): NonNullable<InitializationOptions['manifestPatterns']> {
  return (workspace.workspaceFolders ?? []).map((folder) => ({
    folder: folder.uri.toString(),
    include: [...manifestInclude(folder)],
    exclude: [...manifestExclude(folder)]
  }));
}

/** Every pattern that candidates are searched and watched by. */
export function candidatePatterns(): (string | RelativePattern)[] {
  return [CANDIDATE_NAMES, ...includedPatterns()];
}

/** Whether the user's own patterns name a document. */
export function isIncluded(document: TextDocument): boolean {
  return includedPatterns().some((pattern) => languages.match({ scheme: 'file', pattern }, document) > 0);
}

/** Whether a document may be a manifest by its place alone. */
export function isCandidate(document: TextDocument): boolean {
  if (document.uri.scheme !== 'file') return false;
  return hasCandidateName(document.uri.path) || isIncluded(document);
}

/** A filter of documents in the protocol's terms. */
interface Filter {
  readonly scheme: 'file';
  readonly language: string;
  readonly pattern: string | { readonly baseUri: string; readonly pattern: string };
}

/** The documents that the language server is told about. */
export function manifestSelector(): Filter[] {
  const included = includedPatterns().map(({ baseUri, pattern }) => ({ baseUri: text(baseUri), pattern }));
  return ['json', 'jsonc'].flatMap((language) =>
    [CANDIDATE_NAMES, ...included].map((pattern) => ({ scheme: 'file', language, pattern }) as const)
  );
}

function text(uri: Uri): string {
  return uri.toString();
}
