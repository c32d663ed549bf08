import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

const MANIFEST = JSON.stringify({
  name: 'decoder',
  task: 'text-to-image',
  files: [
    {
      role: 'taesd',
      url: '{origin}/taesd.safetensors',
      filename: 'taesd.safetensors',
      sha256: 'e0ee11f98ad3aa031de94c8ebb96497acb15475ab2f54e48760308afbcd64f26',
      size_bytes: 2458511
    }
  ]
});

let dock: Dock;

beforeAll(async () => {
  const broken = MANIFEST.replace('decoder', 'half-done').replace('e0ee11', '');
  const nameless = MANIFEST.replace('"decoder"', '7');
  dock = await openDock({
    files: {
      'decoder/manifest.json': MANIFEST,
      'half-done/manifest.json': broken,
      'one/nameless/manifest.json': nameless,
      'two/nameless/manifest.json': nameless
    }
  });
  await dock.wb.openView('Diffusion Dock');
  await status('not installed · 2.5 MB');
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('the actions on a model', () => {
  it('explain a failed pull and offer to try again', async () => {
    const { wb } = dock;
    dock.breakSource(true);
    await wb.clickTreeItem('Models', 'decoder', { action: 'Pull' });
    await wb.waitForNotification(/127\.0\.0\.1/);
    await status('not installed · 2.5 MB');
    await wb.until(async () => (await wb.notifications()).length === 1, 'nothing but the message');
    await dock.screenshot('pull-failed');
    dock.breakSource(false);
    await wb.clickNotification(/127\.0\.0\.1/, 'Retry');
    await wb.waitForNotification('decoder is installed (2.5 MB).');
    await clearNotifications();
  });

  it('verify it', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'decoder', { action: 'Verify' });
    await wb.waitForNotification(/^decoder is sound: 1 file, 2\.5 MB, every digest is right; unchanged since/);
    // The workbench holds back what comes after three messages within 800 ms; no hand is that fast.
    const shownAt = Date.now();
    await wb.until(() => Date.now() - shownAt > 1000, 'a moment in which somebody could read it');
    await wb.clickNotification('decoder is sound', 'Read Again');
    await wb.waitForNotification('decoder is sound: 1 file, 2.5 MB, every digest is right.');
    await clearNotifications();
  });

  it('notice a file that is gone, and heal the model', async () => {
    const { wb } = dock;
    rmSync(installedFile());
    await wb.clickTreeItem('Models', 'decoder', { menu: 'Verify' });
    await wb.waitForNotification(/^decoder is damaged\. taesd\.safetensors/);
    await status(/^damaged/);
    await wb.until(async () => (await wb.notifications()).length === 1, 'nothing but the message');
    await dock.screenshot('damaged');
    await wb.clickNotification('decoder is damaged', 'Heal');
    await wb.waitForNotification('decoder is sound: taesd.safetensors healed.');
    await dock.screenshot('healed');
    await status('installed · 2.5 MB');
    expect(existsSync(installedFile())).toBe(true);
    await clearNotifications();
  });

  it('ask before a sound model is replaced by what another manifest describes', async () => {
    const { wb, workspace } = dock;
    const manifest = path.join(workspace, 'decoder', 'manifest.json');
    const sound = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, sound.replace('e0ee11f9', '00000000'));
    await status(/^outdated/);
    await wb.clickTreeItem('Models', 'decoder', { action: 'Pull' });
    const dialog = await wb.dialog();
    await dock.screenshot('outdated');
    expect(dialog.message).toBe('Replace the installed files of decoder?');
    await dialog.click('Cancel');
    await wb.clickTreeItem('Models', 'decoder', { action: 'Pull' });
    await (await wb.dialog()).click('Replace');
    await wb.waitForNotification(/does not have the content/);
    await wb.until(async () => (await wb.notifications()).length === 1, 'nothing but the message');
    await dock.screenshot('wrong-digest');
    await wb.clickNotification('does not have the content', 'Open Manifest');
    await wb.page.locator('.tab.active', { hasText: 'manifest.json' }).waitFor();
    await wb.execCommand('View: Close All Editors');
    writeFileSync(manifest, sound);
    await status('installed · 2.5 MB');
    expect(await wb.notifications()).toEqual([]);
  });

  it('name what an engine needs when there is none', async () => {
    const { wb } = dock;
    dock.removeEngine();
    await wb.execCommand('Diffusion Dock: Generate Image…');
    await wb.pick('decoder');
    await wb.answer('a lighthouse at dusk');
    await wb.pick('Generate');
    await wb.waitForNotification(/sd-cli that cannot be found/);
    await wb.until(async () => (await wb.notifications()).length === 1, 'nothing but the message');
    await dock.screenshot('engine-missing');
    await wb.clickNotification('sd-cli that cannot be found', 'Open Settings');
    await wb.page.locator('.settings-editor').getByText('Absolute path of').first().waitFor();
    await dock.screenshot('settings');
    await wb.execCommand('View: Close All Editors');
    await clearNotifications();
  });

  it('open the manifest', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'decoder', { menu: 'Open Manifest' });
    await wb.page.locator('.tab.active', { hasText: 'manifest.json' }).waitFor();
  });

  it('open a manifest that has problems, which is in the list too', async () => {
    const { wb } = dock;
    await wb.execCommand('View: Close All Editors');
    const rows = await wb.treeRows('Models');
    expect(rows.find(({ label }) => label === 'half-done')?.description).toBe('manifest has problems');
    expect(rows.filter(({ label }) => label === 'nameless/manifest.json')).toHaveLength(2);
    await wb.clickTreeItem('Models', 'half-done');
    await wb.page.locator('.tab.active', { hasText: 'manifest.json' }).waitFor();
    await wb.page.locator('.view-line', { hasText: 'half-done' }).first().waitFor();
    await dock.screenshot('manifest-with-problems');
    await wb.execCommand('View: Close All Editors');
  });

  it('remove its files after a question', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'decoder', { menu: 'Remove Files…' });
    const dialog = await wb.dialog();
    await dock.screenshot('remove');
    expect(dialog.message).toBe('Remove the files of decoder from this machine?');
    await dialog.click('Remove');
    await status('not installed · 2.5 MB');
    expect(existsSync(installedFile())).toBe(false);
  });

  it('free the space that it took, after a question', async () => {
    const { wb } = dock;
    await wb.execCommand('Diffusion Dock: Free Disk Space…');
    const dialog = await wb.dialog();
    await dock.screenshot('free-space');
    expect(dialog.message).toBe('Remove 1 stored file that no installed model uses (2.5 MB)?');
    await dialog.click('Remove');
    await wb.waitForNotification('2.5 MB are free again.');
    await wb.execCommand('Diffusion Dock: Free Disk Space…');
    await wb.waitForNotification(/^There is nothing to free/);
    await clearNotifications();
  });

  it('show the same after the window was reloaded', async () => {
    const { wb } = dock;
    await wb.reload();
    await wb.openView('Diffusion Dock');
    await status('not installed · 2.5 MB');
    expect(dock.log()).toMatch(/starting transfer[^]*done transfer/);
  });
});

async function status(wanted: string | RegExp): Promise<void> {
  await dock.wb.until(async () => {
    const shown = (await dock.description('decoder')) ?? '';
    return typeof wanted === 'string' ? shown === wanted : wanted.test(shown);
  }, `the status ${wanted}`);
}

function installedFile(): string {
  return path.join(dock.home, 'models', 'decoder', 'taesd.safetensors');
}

async function clearNotifications(): Promise<void> {
  await dock.wb.execCommand('Notifications: Clear All Notifications');
  await dock.wb.until(async () => (await dock.wb.notifications()).length === 0, 'no notification');
}
