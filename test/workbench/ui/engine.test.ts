import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { assetName, engineFiles, listOf } from '../../support/engine/release-server';
import { zipFile } from '../../support/engine/zip-file';
import { type Dock, openDock } from './dock-workbench';

let dock: Dock;
let mirror: string;

beforeAll(async () => {
  mirror = mkdtempSync(path.join(os.tmpdir(), 'dock-releases-'));
  const bytes = zipFile(engineFiles('from a mirror'));
  writeFileSync(path.join(mirror, 'build.zip'), bytes);
  const releases = [{ tag: 'master-2-bbbbbbb', assets: [{ name: assetName(), bytes, url: 'build.zip' }] }];
  writeFileSync(path.join(mirror, 'releases.json'), JSON.stringify(listOf(releases, '')));
  dock = await openDock({
    env: {
      DIFFUSION_DOCK_SD_CLI: '',
      DIFFUSION_DOCK_ENGINE_RELEASES: pathToFileURL(path.join(mirror, 'releases.json')).href
    }
  });
});

afterAll(async () => {
  await dock?.[Symbol.asyncDispose]();
  rmSync(mirror, { recursive: true, force: true });
});

describe('an engine', () => {
  it('is installed by a button of the failure that misses it, and then makes what was asked for', async () => {
    const { wb } = dock;
    await wb.openView('Diffusion Dock');
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    await wb.waitForNotification('tiny-sd1 is installed (22.4 MB).');
    await wb.execCommand('Notifications: Clear All Notifications');
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Generate Image…' });
    await wb.answer('a lighthouse at dusk');
    await wb.quickInput.getByText('random', { exact: true }).waitFor();
    await wb.page.keyboard.press('Enter');
    await wb.waitForNotification('No sd-cli was found on this machine.');
    await dock.screenshot('engine-to-install');
    await wb.clickNotification('No sd-cli was found', 'Install Engine');
    await wb.quickInput.getByText('For the processor alone').waitFor();
    await dock.screenshot('engine-offers');
    await wb.page.keyboard.press('Enter');
    await wb.waitForNotification('stable-diffusion.cpp version from a mirror, commit 1 is installed.');
    // This engine makes no images; that it was asked for one tells that the request went on.
    await wb.waitForNotification(/^tiny-sd1: /);
    await dock.screenshot('engine-installed');
  });
});
