import { pathToFileURL } from 'node:url';
import {
  type Connection,
  DidChangeWatchedFilesNotification,
  FileChangeType,
  type InitializeParams
} from 'vscode-languageserver';
import { messageOf } from '../../shared/failure';
import type { ManifestsInView } from '../operations/manifests/manifests-in-view';
import { liesInSkippedFolder, searchManifests } from '../operations/manifests/search-manifests';
import type { Log } from '../platform/log';
import { filePathOf } from './file-path';

/** The names that make a file a candidate anywhere. */
const CANDIDATE_NAMES = '**/{manifest.json,*.manifest.json}';

export interface FindManifestsOptions {
  readonly params: InitializeParams;
  readonly manifestsInView: ManifestsInView;
  /** Called when the models in view may not be what they were. */
  readonly changed: () => void;
  readonly log: Log;
}

/**
 * Finds the manifests of a workspace for an editor that does not name them, and follows what the editor's watching
 * tells. To be called when the editor said `initialized`.
 */
export async function findManifests(connection: Connection, options: FindManifestsOptions): Promise<void> {
  const { params, manifestsInView, changed, log } = options;
  const folders = workspaceFolders(params);
  if (folders.length === 0) return;
  const set = (paths: readonly string[]): void => {
    manifestsInView.set(paths);
    changed();
  };
  connection.onDidChangeWatchedFiles(({ changes }) => {
    const paths = new Set(manifestsInView.candidates);
    for (const { uri, type } of changes) {
      const path = filePathOf(uri);
      if (path === undefined || liesInSkippedFolder(path)) continue;
      if (type === FileChangeType.Deleted) paths.delete(path);
      else paths.add(path);
    }
    set([...paths]);
  });
  if (params.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
    const watchers = [{ globPattern: CANDIDATE_NAMES }];
    connection.client.register(DidChangeWatchedFilesNotification.type, { watchers }).catch((error: unknown) => {
      log.warn('manifests are not watched', { reason: messageOf(error) });
    });
  }
  const found = await Promise.all(folders.map(searched));
  set([...manifestsInView.candidates, ...found.flat()]);

  async function searched(folder: string): Promise<readonly string[]> {
    try {
      return await searchManifests(folder);
    } catch (error) {
      log.warn('folder not searched', { folder, reason: messageOf(error) });
      return [];
    }
  }
}

/** Absolute paths; those that lie in another one are searched with it. */
function workspaceFolders({ workspaceFolders: folders, rootUri }: InitializeParams): string[] {
  const uris = folders?.map(({ uri }) => uri) ?? (rootUri ? [rootUri] : []);
  const paths = uris.flatMap((uri) => filePathOf(uri) ?? []);
  const addresses = paths.map((path) => `${pathToFileURL(path).href}/`);
  return paths.filter((_, index) => {
    return !addresses.some(
      (other, at) => at !== index && addresses[index]?.startsWith(other) && other !== addresses[index]
    );
  });
}
