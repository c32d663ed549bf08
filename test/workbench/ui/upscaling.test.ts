import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { makePng } from '../../support/stand-in/testing/plain-png';
import { type Dock, openDock } from './dock-workbench';

const MANIFEST = JSON.stringify({
  name: 'enlarger',
  task: 'upscale',
  files: [{ role: 'upscale_model', url: 'esrgan-x2.safetensors', filename: 'esrgan-x2.safetensors' }]
});

const DECODER = JSON.stringify({
  name: 'decoder',
  files: [{ role: 'taesd', url: '{origin}/taesd.safetensors', filename: 'taesd.safetensors' }]
});

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({
    files: { 'enlarger/manifest.json': MANIFEST, 'decoder/manifest.json': DECODER },
    machineSettings: { 'diffusionDock.engine.remotes': { tower: 'http://127.0.0.1:9' } }
  });
  createModelFolder(path.join(dock.workspace, 'enlarger'));
  writeFileSync(path.join(dock.workspace, 'cat.png'), makePng(64, 64, 3));
  await dock.wb.openView('Diffusion Dock');
  await dock.wb.until(async () => (await dock.description('enlarger')) !== undefined, 'the model');
  await dock.wb.clickTreeItem('Models', 'decoder', { action: 'Pull' });
  await dock.wb.until(async () => (await dock.description('decoder'))?.startsWith('installed') === true, 'the decoder');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

it('says what is missing when no model enlarges', async () => {
  const { wb } = dock;
  await wb.execCommand('Diffusion Dock: Upscale Image…');
  await wb.waitForNotification(/^No model that enlarges images is installed/);
  await wb.execCommand('Notifications: Clear All Notifications');
});

it('enlarges an image of the explorer and opens the larger one', async () => {
  const { wb } = dock;
  await wb.clickTreeItem('Models', 'enlarger', { action: 'Pull' });
  await wb.until(async () => (await dock.description('enlarger'))?.startsWith('installed') === true, 'the model');
  await wb.execCommand('Notifications: Clear All Notifications');
  await wb.execCommand('View: Show Explorer');
  await wb.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'cat.png' }).click({ button: 'right' });
  const entry = wb.page.locator('.context-view .action-label', { hasText: 'Upscale Image…' });
  await entry.waitFor();
  await dock.screenshot('upscale-menu');
  await entry.click();
  await wb.page.locator('.tab.active', { hasText: /^[0-9a-f]{64}\.png/ }).waitFor();
  await wb.waitForStatusBar(/128x128/);
  await dock.screenshot('upscaled');
});

it('enlarges the image that is open by a button of the model that does it', async () => {
  const { wb } = dock;
  await wb.openView('Diffusion Dock');
  await wb.clickTreeItem('Models', 'enlarger', { action: 'Upscale Image…' });
  await wb.waitForStatusBar(/256x256/);
  await dock.screenshot('upscaled-by-button');
});

it('asks where to generate when the settings name other devices', async () => {
  const { wb } = dock;
  await wb.execCommand('Diffusion Dock: Generate Image…');
  await wb.quickInput.getByText('decoder').waitFor();
  expect(await wb.quickInput.getByText('enlarger').count()).toBe(0);
  await wb.pick('decoder');
  await wb.answer('a lighthouse at dusk');
  await wb.pick('Device');
  await dock.screenshot('device-choice');
  await wb.pick('tower');
  await wb.quickInput.getByText('tower', { exact: true }).waitFor();
  await dock.screenshot('device-chosen');
  expect(dock.engines()).toEqual([]);
  await wb.page.keyboard.press('Escape');
});
