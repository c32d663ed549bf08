import { chmodSync, closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

let dock: Dock;

beforeAll(async () => {
  // Slow enough that a step lasts a second.
  dock = await openDock({ engineSpeed: 0.1 });
  await dock.wb.openView('Diffusion Dock');
  await dock.wb.until(async () => (await dock.description('tiny-sd1')) !== undefined, 'the models');
  await dock.wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
  await dock.wb.until(isInstalled, 'the model');
  await dock.wb.execCommand('Notifications: Clear All Notifications');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

it('tells each step of an image that is made, shows a preview of it, and ends when it is cancelled', async () => {
  const { wb } = dock;
  await generate();
  await wb.waitForStatusBar(/^tiny-sd1 step [2-9]\/\d+$/, 60_000);
  await wb.waitForNotification(/^Generating with tiny-sd1: step \d+ of \d+, .* s a step/);
  await wb.page.locator('.statusbar-item', { hasText: 'tiny-sd1 step' }).hover();
  const preview = wb.page.locator('.monaco-hover:visible img, .workbench-hover:visible img');
  await preview.waitFor();
  expect(await preview.getAttribute('src')).toMatch(/^data:image\/png;base64,/);
  await dock.screenshot('generating-preview');
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Cancel' });
  await wb.until(isInstalled, 'the end');
  expect(dock.engines()).toEqual([]);
});

it('says before an image is made that it may not fit into memory', async () => {
  const { wb } = dock;
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Generate Image…' });
  await wb.answer('a lighthouse at dusk');
  await wb.pick('Size');
  await wb.answer('8192x8192');
  await wb.pick('Generate');
  await wb.waitForNotification(/^tiny-sd1: By an estimate, the run needs about .* for 8192 × 8192 pixels/);
  await dock.screenshot('generating-memory');
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Cancel' });
  await wb.until(isInstalled, 'the end');
  await wb.execCommand('Notifications: Clear All Notifications');
});

it('offers healing when the engine finds a file of the model damaged', async () => {
  const { wb } = dock;
  const folder = path.join(dock.home, 'models', 'tiny-sd1');
  const weights = path.join(folder, readdirSync(folder).find((name) => name.startsWith('unet')) ?? '');
  const { size } = statSync(weights);
  chmodSync(weights, 0o644);
  const file = openSync(weights, 'r+');
  writeSync(file, '<html>not found</html>'.repeat(4), 0);
  closeSync(file);
  expect(statSync(weights).size).toBe(size);
  await generate();
  await wb.waitForNotification(/tiny-sd1: .*Heal/, 60_000);
  // Its notification makes room for that of the failure, whose buttons move then.
  await wb.until(
    async () => !(await wb.notifications()).some(({ message }) => message.startsWith('Generating')),
    'the end of the run'
  );
  await dock.screenshot('generating-damaged');
  await wb.clickNotification(/tiny-sd1/, 'Heal');
  await wb.waitForNotification(/tiny-sd1 is sound: unet.* healed/, 60_000);
});

async function isInstalled(): Promise<boolean> {
  return (await dock.description('tiny-sd1'))?.startsWith('installed') === true;
}

async function generate(): Promise<void> {
  await dock.wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Generate Image…' });
  await dock.wb.answer('a lighthouse at dusk');
  await dock.wb.quickInput.getByText('random', { exact: true }).waitFor();
  await dock.wb.page.keyboard.press('Enter');
}
