import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

const WEIGHTS = {
  role: 'taesd',
  url: '{origin}/taesd.safetensors',
  filename: 'taesd.safetensors',
  sha256: 'e0ee11f98ad3aa031de94c8ebb96497acb15475ab2f54e48760308afbcd64f26'
};

const manifest = (name: string, facts: object = {}): string =>
  JSON.stringify({ name, files: [{ ...WEIGHTS, ...facts }] });

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({
    files: {
      'decoder/manifest.json': manifest('decoder'),
      'huge/manifest.json': manifest('huge', { sha256: '0'.repeat(63) + '1', size_bytes: 2 ** 52 }),
      '.vscode/settings.json': JSON.stringify({ 'diffusionDock.pull.confirmAbove': 2 })
    }
  });
  await dock.wb.openView('Diffusion Dock');
  await dock.wb.until(async () => (await dock.wb.treeRows('Models')).length === 2, 'the models');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('the plan of a pull', () => {
  it('can be read without pulling', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'decoder', { menu: 'Show Pull Plan' });
    await wb.page.locator('.tab.active', { hasText: 'decoder pull plan.txt' }).waitFor();
    await wb.page.locator('.view-line', { hasText: 'To transfer: 2.5 MB' }).waitFor();
    await wb.until(async () => (await wb.notifications()).length === 0, 'the end of the looking up');
    await dock.screenshot('plan-document');
    expect(dock.requests).toEqual(['HEAD /taesd.safetensors']);
    await wb.execCommand('View: Close All Editors');
  });

  it('is asked about before a pull that transfers more than the setting allows', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'decoder', { action: 'Pull' });
    const dialog = await wb.dialog();
    await dock.screenshot('plan-question');
    expect(dialog.message).toBe('Pull decoder? 2.5 MB are to be transferred.');
    expect(dialog.detail).toMatch(/Files: 1 file, 2\.5 MB.*To transfer: 2\.5 MB.*Free space: .*Goes to: .*decoder/s);
    await dialog.click('Cancel');
    expect(dock.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
    await wb.clickTreeItem('Models', 'decoder', { action: 'Pull' });
    await (await wb.dialog()).click('Pull');
    await wb.waitForNotification('decoder is installed (2.5 MB).');
    await clearNotifications();
  });

  it('says of an installed model that nothing is to be done', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'decoder', { menu: 'Show Pull Plan' });
    await wb.page.locator('.view-line', { hasText: 'every file is here' }).waitFor();
    await wb.execCommand('View: Close All Editors');
  });

  it('that does not fit is refused, with a button for the folder of the cache', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'huge', { action: 'Pull' });
    await wb.waitForNotification(/^huge: The pull needs .* TB and 1 GiB to spare/);
    await wb.until(async () => (await wb.notifications()).length === 1, 'nothing but the refusal');
    await dock.screenshot('plan-does-not-fit');
    await wb.clickNotification('The pull needs', 'Move Cache');
    await wb.page.locator('.settings-editor').getByText('Folder that holds pulled models').first().waitFor();
  });
});

async function clearNotifications(): Promise<void> {
  await dock.wb.execCommand('Notifications: Clear All Notifications');
  await dock.wb.until(async () => (await dock.wb.notifications()).length === 0, 'no notification');
}
