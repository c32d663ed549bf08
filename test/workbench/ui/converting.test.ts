import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

let dock: Dock;

beforeAll(async () => {
  // Slow enough that a conversion lasts some seconds.
  dock = await openDock({ engineSpeed: 1 });
  await dock.wb.openView('Diffusion Dock');
  await dock.wb.until(async () => (await dock.description('tiny-sd1')) !== undefined, 'the models');
  await dock.wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
  await dock.wb.until(isInstalled, 'the model');
  await dock.wb.execCommand('Notifications: Clear All Notifications');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

it('converts a model into a new one, and ends when it is cancelled', async () => {
  const { wb } = dock;
  await convert();
  await wb.waitForStatusBar(/^tiny-sd1 converting the model \d+ %$/, 60_000);
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Cancel' });
  await wb.until(isInstalled, 'the end');
  expect(dock.engines()).toEqual([]);
  expect(await dock.description('small')).toBeUndefined();
  await convert();
  await wb.waitForNotification(/^Converting tiny-sd1 to q8_0: converting the model/, 60_000);
  await dock.screenshot('converting');
  await wb.waitForNotification(/^small is installed \(.* instead of .*\)\.$/, 60_000);
  await wb.until(async () => (await dock.description('small'))?.startsWith('installed') === true, 'the new model');
  await dock.screenshot('converted');
});

it('says of a converted model that is to be removed that it cannot be pulled again', async () => {
  const { wb } = dock;
  await wb.clickTreeItem('Models', 'small', { menu: 'Remove Files…' });
  const dialog = await wb.dialog();
  await dock.screenshot('remove-converted');
  expect(dialog.detail).toMatch(/it was made here \(tiny-sd1 converted to q8_0 by .*cannot be pulled again/);
  await dialog.click('Cancel');
});

it('offers to make it again, and no pull, once it is removed', async () => {
  const { wb } = dock;
  await wb.clickTreeItem('Models', 'small', { menu: 'Remove Files…' });
  await (await wb.dialog()).click('Remove');
  await wb.until(async () => (await dock.description('small'))?.startsWith('removed') === true, 'the row');
  await wb.execCommand('Notifications: Clear All Notifications');
  const actions = wb.treeRow('Models', 'small').locator('.action-label');
  expect(await actions.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))).toEqual([
    'Convert Again'
  ]);
  await dock.screenshot('removed-converted');
  await wb.clickTreeItem('Models', 'small', { action: 'Convert Again' });
  await wb.waitForNotification(/^small is installed \(.* instead of .*\)\.$/, 60_000);
  await dock.screenshot('converted-again');
});

async function isInstalled(): Promise<boolean> {
  return (await dock.description('tiny-sd1'))?.startsWith('installed') === true;
}

async function convert(): Promise<void> {
  const { wb } = dock;
  await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Convert…' });
  await wb.quickInput.getByText('8.5 bits a weight', { exact: true }).waitFor();
  await dock.screenshot('convert-types');
  await wb.pick('q8_0');
  await wb.answer('small');
}
