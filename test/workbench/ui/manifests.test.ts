import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type MovingHub, startMovingHub } from '../../support/hub/moving-hub';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { openDock } from './dock-workbench';

const WEIGHTS = sampleBytes(5000);
const FILES = { 'sd-v1.gguf': WEIGHTS };

function manifest(name: string, url: string): string {
  const files = [{ role: 'model', url, filename: 'sd-v1.gguf', sha256: 'nope' }];
  return `${JSON.stringify({ name, files }, null, 2)}\n`;
}

async function dockWith(hub: MovingHub) {
  return openDock({
    files: {
      'one/manifest.json': manifest('one', 'hf:owner/repo/sd-v1.gguf'),
      'two/manifest.json': manifest('two', 'hf:owner/repo/sd-v1.gguf'),
      'vendor/manifest.json': manifest('three', 'hf:owner/repo/sd-v1.gguf')
    },
    settings: { 'diffusionDock.manifest.exclude': ['vendor/**'] },
    env: { HF_ENDPOINT: hub.origin }
  });
}

it('lists what is wrong in manifests that nobody opened, follows them, and says why a file is none', async () => {
  await using dock = await dockWith(await startMovingHub(FILES));
  const { wb } = dock;
  const digests = async (): Promise<number> =>
    (await wb.problems()).filter(({ message }) => message.includes('digits 0-9 and a-f')).length;
  await wb.until(async () => (await digests()) === 2, 'the findings of both manifests', 90_000);
  await dock.screenshot('workspace-problems');

  // Opening and closing a document neither doubles nor loses a finding.
  await wb.openFile('one/manifest.json');
  // What is answered about the open document, the server answers after it has taken it over.
  await wb.execCommand('Diffusion Dock: Explain Why This File Is (Not) Treated as a Model Manifest');
  await wb.waitForNotification('the entries of its “files” have the fields of one');
  await wb.until(async () => (await digests()) === 2, 'the findings while one is open');
  await wb.execCommand('View: Close All Editors');
  await wb.until(async () => (await digests()) === 2, 'the findings after it closed');

  // Another program mends one manifest and removes the other.
  const mended = manifest('one', 'hf:owner/repo/sd-v1.gguf').replace('nope', sha256(WEIGHTS));
  await writeFile(join(dock.workspace, 'one/manifest.json'), mended);
  await wb.until(async () => (await digests()) === 1, 'the finding that is left');
  await rm(join(dock.workspace, 'two'), { recursive: true });
  await wb.until(async () => (await digests()) === 0, 'no finding');

  await wb.openFile('vendor/manifest.json');
  await wb.page.locator('.editor-instance .view-lines', { hasText: '"three"' }).waitFor();
  await wb.execCommand('Diffusion Dock: Explain Why This File Is (Not) Treated as a Model Manifest');
  await wb.waitForNotification(/not treated as a model manifest: the setting .*exclude names it by “vendor\/\*\*”/);
  await dock.screenshot('manifest-explained');
}, 240_000);

it('fills in what the hub declares, and makes a manifest of a folder and of a repository', async () => {
  const hub = await startMovingHub(FILES);
  const commit = hub.publish(FILES);
  await using dock = await dockWith(hub);
  const { wb } = dock;
  await wb.openFile('one/manifest.json');
  await wb.until(
    async () => (await wb.problems()).some(({ message }) => message.includes('digits 0-9')),
    'the finding',
    90_000
  );
  await wb.goBehind('"nope');
  await wb.page.keyboard.press('Control+.');
  const fix = wb.page.locator('.action-widget .monaco-list-row', {
    hasText: 'Ask the hub for “sha256” and “size_bytes”'
  });
  await fix.first().waitFor();
  await dock.screenshot('manifest-quick-fixes');
  // The list of fixes takes no click before the mouse has moved over it, for it opens under the mouse.
  await fix.first().hover({ force: true });
  await fix.first().click();
  await wb.page.locator('.editor-instance .view-lines', { hasText: sha256(WEIGHTS).slice(0, 20) }).waitFor();
  await wb.execCommand('File: Save');
  // While it is saved, the file is empty for a moment.
  const saved = await wb.until(async () => {
    const text = await readFile(join(dock.workspace, 'one/manifest.json'), 'utf8');
    return text.includes(sha256(WEIGHTS)) && text.trimEnd().endsWith('}') ? text : '';
  }, 'the saved manifest');
  expect(JSON.parse(saved).files[0]).toMatchObject({ sha256: sha256(WEIGHTS), size_bytes: WEIGHTS.length });
  await dock.screenshot('manifest-filled');

  await wb.execCommand('Diffusion Dock: Add Model from Hugging Face…');
  await wb.answer('owner/repo');
  await wb.page.locator('.editor-instance .view-lines', { hasText: `hf:owner/repo@${commit}` }).waitFor();
  await wb.waitForNotification('Save the manifest, and repo can be pulled.');
  await dock.screenshot('manifest-from-hub');
  await wb.clickNotification('Save the manifest', 'Save');
  await wb.until(async () => (await dock.description('repo')) === 'not installed · 5.0 kB', 'the model in the list');
  expect(JSON.parse(await readFile(join(dock.workspace, 'manifest.json'), 'utf8'))).toMatchObject({ name: 'repo' });
  await wb.page.locator('.codelens-decoration a', { hasText: 'Pull' }).waitFor();
  await dock.screenshot('manifest-saved');

  // A second one gets a name that counts, too.
  await wb.execCommand('Diffusion Dock: Add Model from Hugging Face…');
  await wb.answer('owner/repo');
  await wb.page.locator('.tab.active', { hasText: 'repo.manifest.json' }).waitFor();

  await mkdir(join(dock.workspace, 'weights'));
  await writeFile(join(dock.workspace, 'weights', 'ae.safetensors'), WEIGHTS);
  await wb.execCommand('View: Show Explorer');
  const folder = wb.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'weights' }).first();
  await folder.click({ button: 'right' });
  await wb.chooseInMenu('Add Model from Folder…');
  await wb.page.locator('.editor-instance .view-lines', { hasText: 'ae.safetensors' }).waitFor();
  await dock.screenshot('manifest-from-folder');
}, 240_000);
