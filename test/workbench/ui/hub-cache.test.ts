import { readFile, unlink, utimes } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { BuiltCache } from '../../support/hub/built-cache';
import { damage } from '../../support/hub/damage';
import { startFakeHub } from '../../support/hub/fake-hub';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { sampleBytes } from '../../support/sample-bytes';
import { openDock } from './dock-workbench';

const VIEW = 'Hugging Face Cache';
const COMMIT = commitOf('first');
const weights: HubContent = { bytes: sampleBytes(1_500_000), isLarge: true };
const config: HubContent = { bytes: Buffer.from('{"a":1}'), isLarge: false };

it('shows the Hugging Face cache, and verifies, heals and deletes what is in it', async () => {
  const cache = await BuiltCache.create();
  const { bytesAt } = await cache.put('models--stabilityai--tiny', COMMIT, 'unet/weights.safetensors', weights);
  await cache.put('models--stabilityai--tiny', COMMIT, 'config.json', config);
  await cache.ref('models--stabilityai--tiny', 'main', COMMIT);
  await cache.put('datasets--owner--prompts', COMMIT, 'prompts.json', config);
  await damage(bytesAt);
  const files = { 'unet/weights.safetensors': weights, 'config.json': config };
  const hub = await startFakeHub({ 'stabilityai/tiny': [{ commit: COMMIT, branches: ['main'], files }] });
  await using dock = await openDock({ env: { HF_HUB_CACHE: cache.root, HF_ENDPOINT: hub.origin } });
  const { wb } = dock;
  const rows = () => wb.treeRows(VIEW);
  const row = (label: string, description: RegExp) =>
    wb.until(
      async () => (await rows()).some((found) => found.label === label && description.test(found.description)),
      label
    );

  await wb.openView('Diffusion Dock');
  await wb.page.locator('.pane-header', { hasText: VIEW }).click();
  await row('stabilityai/tiny', /^1\.5 MB · used/);
  await row('owner/prompts', /^7 B/);
  await wb.clickTreeItem(VIEW, 'stabilityai/tiny', { expand: true });
  await row('main', /^2 files · 1\.5 MB/);
  await wb.clickTreeItem(VIEW, 'main', { expand: true });
  await row('unet/weights.safetensors', /^1\.5 MB$/);

  await wb.clickTreeItem(VIEW, 'stabilityai/tiny', { action: 'Verify' });
  await wb.waitForNotification(/^stabilityai\/tiny is damaged\. unet\/weights\.safetensors: Its SHA-256 is/);
  await row('unet/weights.safetensors', /^corrupt · /);
  await row('config.json', /^verified · /);
  await dock.screenshot('hub-cache-corrupt');

  await wb.clickNotification(/is damaged/, 'Heal');
  await wb.waitForNotification('stabilityai/tiny is healed: 1 file fetched again and proved.');
  expect(await readFile(bytesAt)).toEqual(weights.bytes);
  await row('stabilityai/tiny', /^1\.5 MB · used/);

  // Another program downloads something.
  await cache.put('models--owner--new', COMMIT, 'config.json', config);
  await row('owner/new', /^7 B/);

  await wb.clickTreeItem(VIEW, 'owner/new', { menu: 'Delete from Cache…' });
  const dialog = await wb.dialog();
  await dock.screenshot('hub-cache-delete');
  expect(dialog.detail).toContain('7 B are freed.');
  await dialog.click('Delete');
  await wb.waitForNotification('owner/new is deleted from the Hugging Face cache, 7 B are freed.');
  await wb.until(async () => !(await rows()).some(({ label }) => label === 'owner/new'), 'the row to go');

  const unused = await cache.put('datasets--owner--prompts', COMMIT, 'unused.json', weights);
  await unlink(unused.pointer);
  await utimes(unused.blob, new Date(0), new Date(0));
  const header = wb.page.locator('.pane-header', { hasText: VIEW });
  await header.hover();
  await header.getByRole('button', { name: /^Delete What Nothing Uses/ }).click();
  const question = await wb.dialog();
  await dock.screenshot('hub-cache-unused');
  expect(question.detail).toContain('1.5 MB are freed.');
  await question.click('Delete');
  await wb.waitForNotification('1.5 MB of the Hugging Face cache are freed.');
  await dock.screenshot('hub-cache');
}, 240_000);
