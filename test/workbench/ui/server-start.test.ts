import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

const WEB_APP = JSON.stringify({ name: 'Shop', start_url: '/', display: 'standalone', icons: [] }, null, 2);

const MODEL = JSON.stringify({
  name: 'late',
  files: [{ role: 'model', url: 'https://example.com/late.gguf', filename: 'late.gguf', size_bytes: 5 }]
});

let dock: Dock;

beforeAll(async () => {
  // The folder is there from the start: VS Code may miss a file that is created together with its folder.
  dock = await openDock({ files: { 'manifest.json': WEB_APP, 'models/README.md': '', '.vscode/settings.json': '{}' } });
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('the language server', () => {
  it('is not started by a workspace with the manifest of a web app', async () => {
    const { wb } = dock;
    await wb.openFile('manifest.json');
    // The command activates the extension if the workspace has not, and needs no server.
    await wb.execCommand('Diffusion Dock: Show Log');
    expect(await wb.problems()).toEqual([]);
    expect(dock.languageServers()).toEqual([]);
  });

  it('starts when a model manifest appears, which then is listed', async () => {
    const { wb, workspace } = dock;
    // VS Code begins to watch the workspace some time after it has opened it, and nobody can see when.
    let writtenAt = 0;
    await wb.until(() => {
      if (dock.languageServers().length === 1) return true;
      if (Date.now() - writtenAt > 2000) {
        writeFileSync(path.join(workspace, 'models', 'late.manifest.json'), MODEL);
        writtenAt = Date.now();
      }
      return false;
    }, 'a language server');
    await wb.openView('Diffusion Dock');
    await wb.until(async () => (await dock.description('late')) === 'not installed · 5 B', 'the model');
    expect(await wb.problems()).toEqual([]);
  });

  it('starts anew by the command', async () => {
    const { wb } = dock;
    const [first] = dock.languageServers();
    await wb.execCommand('Diffusion Dock: Restart Server');
    await wb.until(() => {
      const servers = dock.languageServers();
      return servers.length === 1 && servers[0] !== first;
    }, 'another server');
    await wb.until(async () => (await dock.description('late')) !== undefined, 'the model again');
    expect(await wb.notifications()).toEqual([]);
  });

  it('is told about further manifests when a setting names them', async () => {
    const { wb, workspace } = dock;
    writeFileSync(path.join(workspace, 'models', 'other.json'), MODEL.replace('"late"', '"other"'));
    const settings = { 'diffusionDock.manifest.include': ['models/*.json'] };
    writeFileSync(path.join(workspace, '.vscode', 'settings.json'), JSON.stringify(settings));
    await wb.until(async () => (await dock.description('other')) !== undefined, 'the other model');

    writeFileSync(path.join(workspace, 'models', 'other.json'), '{ "name": "other" }');
    await wb.openFile('models/other.json');
    const problems = await wb.until(async () => {
      const found = await wb.problems();
      return found.length > 0 ? found : undefined;
    }, 'a problem');
    expect(problems).toMatchObject([{ file: 'other.json', source: 'Diffusion Dock' }]);
  });

  it('has nothing to list without manifests, and the view says what to do', async () => {
    const { wb, workspace } = dock;
    await wb.execCommand('View: Close All Editors');
    rmSync(path.join(workspace, 'models', 'other.json'));
    rmSync(path.join(workspace, 'models', 'late.manifest.json'));
    await wb.page.getByText('No model manifest was found in this workspace.').waitFor();
    await dock.screenshot('no-models');
    await wb.page.locator('.pane-body a', { hasText: 'Get started' }).click();
    await wb.page.locator('.gettingStarted .getting-started-step', { hasText: 'Install the engine' }).waitFor();
    await dock.screenshot('walkthrough');
  });
});
