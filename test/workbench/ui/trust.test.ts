import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';
import { VERSION } from './under-test';

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({ workspaceTrust: true });
  // 1.100 asks at the start; newer versions go straight to Restricted Mode.
  if (VERSION === '1.100') await (await dock.wb.dialog()).click("No, I don't trust the authors");
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('an untrusted workspace', () => {
  it('lists its models but pulls none', async () => {
    const { wb } = dock;
    await wb.openView('Diffusion Dock');
    await wb.until(async () => (await dock.description('tiny-sd1')) === 'not installed · 22.4 MB', 'the models');
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    await wb.waitForNotification('Pulling models is not available in an untrusted workspace.');
    await wb.until(async () => (await dock.description('tiny-sd1')) === 'not installed · 22.4 MB', 'the status');
    await wb.until(async () => (await wb.notifications()).length === 1, 'nothing but the refusal');
    await dock.screenshot('untrusted');
    expect(dock.requests).toEqual([]);
  });

  it('has its manifests checked', async () => {
    const { wb, workspace } = dock;
    const manifest = path.join(workspace, 'tiny-sdxs', 'manifest.json');
    const sound = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, sound.replace('"role": "model"', '"role": "modell"'));
    await wb.openFile(manifest);
    const problems = await wb.until(async () => {
      const found = await wb.problems();
      return found.length > 0 ? found : undefined;
    }, 'a problem');
    expect(problems).toMatchObject([{ source: 'Diffusion Dock', code: 'unknown-role' }]);
    writeFileSync(manifest, sound);
  });

  it('pulls once it is trusted', async () => {
    const { wb } = dock;
    await wb.clickNotification('untrusted workspace', 'Manage Trust');
    await wb.page.locator('.workspace-trust-editor .monaco-button', { hasText: /^Trust$/ }).click();
    await wb.page.getByText('Restricted Mode: models are listed').waitFor({ state: 'hidden' });
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    await wb.waitForNotification('tiny-sd1 is installed (22.4 MB).');
  });
});
