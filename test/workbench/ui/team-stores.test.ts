import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

const BATCH = {
  models: ['tiny-sd1'],
  prompts: ['a lighthouse at dusk', 'a harbour in fog'],
  seeds: [7],
  options: { steps: 6 }
};

let shared: string;
let dock: Dock;

beforeAll(async () => {
  shared = mkdtempSync(path.join(os.tmpdir(), 'dock-store-'));
  mkdirSync(path.join(shared, 'team'));
  dock = await openDock({
    // Slow enough that an image lasts some seconds.
    engineSpeed: 0.2,
    machineSettings: {
      'diffusionDock.stores': {
        team: pathToFileURL(path.join(shared, 'team')).href,
        // Nobody listens there, and there is no such credential.
        away: { url: 's3://bucket/models', endpoint: 'http://127.0.0.1:9', credential: 'nobody' }
      }
    }
  });
  const { wb } = dock;
  await wb.openView('Diffusion Dock');
  await wb.until(async () => (await dock.description('tiny-sd1')) !== undefined, 'the models');
  await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
  await wb.until(isInstalled, 'the model');
  await clearNotifications();
});

afterAll(async () => {
  await dock?.[Symbol.asyncDispose]();
  rmSync(shared, { recursive: true, force: true });
});

describe('a team store', () => {
  it('is asked only when its row is expanded, and says what is wrong', async () => {
    const { wb } = dock;
    expect(await rowsBelow('team')).toEqual([]);
    await wb.clickTreeItem('Models', 'away', { expand: true });
    await wb.until(async () => (await rowsBelow('away')).some((label) => label.includes('nobody')), 'the failure');
    await dock.screenshot('store-failure');
    await wb.clickTreeItem('Models', 'away', { expand: true });
  });

  it('takes a model from its menu', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Publish to Team Store…' });
    await wb.quickInput.getByText('Add a Team Store').waitFor();
    await dock.screenshot('store-pick');
    await wb.pick('team');
    await wb.waitForNotification(/^tiny-sd1 is published to team/);
    await wb.clickTreeItem('Models', 'team', { expand: true });
    await published(/^installed/);
    await dock.screenshot('store-published');
    await clearNotifications();
  });

  it('gives it back to whoever does not have it, with one click', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Remove Files…', level: 1 });
    await (await wb.dialog()).click('Remove');
    await published(/^not installed/);
    const before = dock.requests.length;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull', level: 2 });
    await wb.waitForNotification(/^tiny-sd1 is installed/);
    await published(/^installed/);
    expect(await isInstalled()).toBe(true);
    expect(dock.requests).toHaveLength(before);
    await dock.screenshot('store-pulled');
    await clearNotifications();
  });

  it('is published to from the manifest, and has nothing to do for what it holds', async () => {
    const { wb } = dock;
    await wb.openFile('tiny-sd1/manifest.json');
    const lens = wb.page.locator('.codelens-decoration a', { hasText: 'Publish' });
    await lens.waitFor();
    await dock.screenshot('store-lens');
    await lens.click();
    await wb.pick('team');
    await wb.waitForNotification('team has this content of tiny-sd1 already');
    await wb.execCommand('View: Close All Editors');
    await clearNotifications();
  });

  it('gives up a publication after a question', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'tiny-sd1', { menu: 'Unpublish…', level: 2 });
    const dialog = await wb.dialog();
    expect(dialog.message).toBe('Unpublish tiny-sd1 from team?');
    await dock.screenshot('store-unpublish');
    await dialog.click('Unpublish');
    await wb.until(async () => (await rowsBelow('team')).includes('Nothing is published here yet.'), 'an empty store');
    expect(await isInstalled()).toBe(true);
    await clearNotifications();
  });
});

describe('a batch', () => {
  it('runs from its file, stops, and goes on where it was', async () => {
    const { wb, workspace } = dock;
    writeFileSync(path.join(workspace, 'lights.batch.json'), JSON.stringify(BATCH));
    await wb.openFile('lights.batch.json');
    await wb.page.locator('.editor-actions [aria-label="Run Batch…"]').click();
    await wb.pick('This Machine');
    await batch(/^2 of 2 · step/);
    await dock.screenshot('batch-running');
    await wb.clickTreeItem('Jobs', 'lights', { action: 'Stop' });
    await batch('stopped · 1 of 2 images');
    await dock.screenshot('batch-stopped');
    expect(dock.engines()).toEqual([]);
    await wb.clickTreeItem('Jobs', 'lights', { action: 'Resume' });
    await batch(/^2 images/);
    await wb.waitForNotification('lights is done: 2 of 2 images, 1 of them from before.');
    expect(imagesInGallery()).toHaveLength(2);
    await wb.clickTreeItem('Jobs', 'lights', { expand: true });
    await wb.clickTreeItem('Jobs', 'a harbour in fog');
    await wb.page.locator('.tab.active', { hasText: '.png' }).waitFor();
    await dock.screenshot('batch-done');
    await wb.clickTreeItem('Jobs', 'lights', { action: 'Clear from List' });
    await wb.until(async () => (await wb.treeRows('Jobs')).length === 0, 'an empty list');
    expect(imagesInGallery()).toHaveLength(2);
  });
});

async function batch(wanted: string | RegExp): Promise<void> {
  await dock.wb.until(
    async () => {
      const row = (await dock.wb.treeRows('Jobs')).find(({ label }) => label === 'lights');
      return typeof wanted === 'string' ? row?.description === wanted : wanted.test(row?.description ?? '');
    },
    `the batch to be ${wanted}`,
    90_000
  );
}

async function published(wanted: RegExp): Promise<void> {
  await dock.wb.until(
    async () =>
      (await dock.wb.treeRows('Models')).some(
        ({ label, level, description }) => label === 'tiny-sd1' && level === 2 && wanted.test(description)
      ),
    `the publication to be ${wanted}`
  );
}

/** The labels below a store that is expanded. */
async function rowsBelow(store: string): Promise<string[]> {
  const rows = await dock.wb.treeRows('Models');
  const at = rows.findIndex(({ label }) => label === store);
  const below = rows.slice(at + 1);
  const end = below.findIndex(({ level }) => level === 1);
  return (end < 0 ? below : below.slice(0, end)).map(({ label }) => label);
}

function imagesInGallery(): string[] {
  const names = readdirSync(path.join(dock.home, 'images', 'sha256'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.png'));
}

async function isInstalled(): Promise<boolean> {
  const row = (await dock.wb.treeRows('Models')).find(({ label, level }) => label === 'tiny-sd1' && level === 1);
  return row?.description.startsWith('installed') === true;
}

async function clearNotifications(): Promise<void> {
  await dock.wb.execCommand('Notifications: Clear All Notifications');
  await dock.wb.until(async () => (await dock.wb.notifications()).length === 0, 'no notification');
}
