import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workbench } from '../../support/vscode/workbench.mjs';
import { type Dock, openDock } from './dock-workbench';

let dock: Dock;
let second: Workbench;

beforeAll(async () => {
  dock = await openDock({ bytesPerSecond: 5_000_000 });
  second = await openSecondWindow(dock.wb);
  for (const wb of [dock.wb, second]) {
    await wb.openView('Diffusion Dock');
    await wb.until(async () => (await wb.treeRows('Models')).length === 2, 'the models');
  }
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('two windows on one cache', () => {
  it('have a server each', () => {
    expect(dock.languageServers()).toHaveLength(2);
  });

  it('never fetch the same bytes twice', async () => {
    for (const wb of [dock.wb, second]) await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    for (const wb of [dock.wb, second]) {
      // Behind another window messages are not drawn, but the tree tells as well.
      await wb.page.bringToFront();
      const status = async (): Promise<string> => (await wb.treeRows('Models'))[0]?.description ?? '';
      await wb.until(async () => (await status()).startsWith('installed'), 'the end of the pull');
    }
    const fetched = dock.requests.filter((request) => request.startsWith('GET '));
    expect(fetched).toHaveLength(3);
    expect(new Set(fetched).size).toBe(3);
  });

  it('show the same within a second', async () => {
    await dock.wb.clickTreeItem('Models', 'tiny-sdxs', { action: 'Pull' });
    await dock.wb.waitForNotification('tiny-sdxs is installed');
    await second.until(
      async () => (await second.treeRows('Models'))[1]?.description.startsWith('installed'),
      'the status in the other window',
      1000
    );
  });
});

/** Another window on the same workspace, with an extension host of its own. */
async function openSecondWindow(first: Workbench): Promise<Workbench> {
  const page = await first.page.context().newPage();
  const { root, workspace, origin, serverGone, close } = first;
  const workbench = new Workbench(page, { root, workspace, origin, serverGone, close });
  await page.goto(first.page.url());
  await workbench.ready();
  return workbench;
}
