import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { WorkspaceManifests } from '../../../client/manifests/workspace-manifests';
import { SETTINGS } from '../../../shared/settings';
import { temporaryFolder } from '../../support/temporary-folder';

interface File {
  readonly path: string;
  readonly fsPath: string;
}

const editor = vi.hoisted(() => ({ files: [] as File[], include: [] as string[] }));

vi.mock('vscode', async () => {
  const { EventEmitter } = await import('../../support/tree-editor');
  class RelativePattern {
    constructor(
      readonly baseUri: object,
      readonly pattern: string
    ) {}
  }
  return {
    EventEmitter,
    RelativePattern,
    workspace: {
      workspaceFolders: [{ uri: 'file:///work' }],
      getConfiguration: () => ({
        get: (key: string) => (key === SETTINGS.manifestInclude.key ? editor.include : undefined)
      }),
      onDidSaveTextDocument: () => ({ dispose: () => undefined }),
      createFileSystemWatcher: () => ({ onDidCreate: () => ({}), onDidChange: () => ({}), onDidDelete: () => ({}) }),
      // The editor's search ends with an error where it cannot read a pattern.
      findFiles: async (pattern: unknown) => {
        if (pattern instanceof RelativePattern) throw new Error(`error parsing glob '${pattern.pattern}'`);
        return editor.files;
      }
    }
  };
});

it('manifests are found by their names although a pattern in the settings is none', async () => {
  const path = join(await temporaryFolder(), 'manifest.json');
  await writeFile(path, JSON.stringify({ name: 'a', files: [{ role: 'model', url: 'b', filename: 'c' }] }));
  editor.files = [{ path, fsPath: path }];
  editor.include = ['models/['];
  const manifests = new WorkspaceManifests();
  await manifests.search();
  expect(await manifests.uris()).toEqual(editor.files);
});
