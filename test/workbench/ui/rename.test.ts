import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

function manifest(name: string, url: string): string {
  const files = [{ role: 'model', url, filename: 'model.gguf' }];
  return `${JSON.stringify({ name, files }, null, 2)}\n`;
}

function saved(dock: Dock, path: string): Promise<string> {
  return readFile(join(dock.workspace, path), 'utf8');
}

it('renames a model wherever a manifest names it', async () => {
  const text = manifest('one', 'https://example.com/model.gguf');
  const files = { 'one/manifest.json': text, 'copy/manifest.json': text };
  await using dock = await openDock({ files });
  const { wb } = dock;
  const { page } = wb;
  const box = page.locator('.rename-box input');
  await wb.openView('Diffusion Dock');
  await wb.openFile('one/manifest.json');
  await wb.until(async () => (await dock.description('one')) !== undefined, 'the model in the tree', 90_000);
  await wb.goBehind('"name": "on');
  await page.keyboard.press('F2');
  await box.waitFor();
  expect(await box.inputValue()).toBe('one');
  await box.fill('better-name');
  await dock.screenshot('rename-1-box');
  await page.keyboard.press('Enter');
  await page.locator('.editor-instance .view-lines', { hasText: '"better-name"' }).waitFor();
  await page.keyboard.press('Control+S');
  const isRenamed = async (path: string) => (await saved(dock, path)) === text.replace('"one"', '"better-name"');
  const areRenamed = () => Promise.all(['one/manifest.json', 'copy/manifest.json'].map(isRenamed));
  await wb.until(async () => !(await areRenamed()).includes(false), 'the name in both files');
  await wb.until(async () => (await dock.description('better-name')) !== undefined, 'the model in the tree');
  expect(await dock.description('one')).toBeUndefined();
  await dock.screenshot('rename-2-renamed');
}, 240_000);
