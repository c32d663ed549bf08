import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({ bytesPerSecond: 10_000_000, engineSpeed: 1 });
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('from a manifest to an image', () => {
  it('lists the models of the workspace', async () => {
    const { wb } = dock;
    await wb.openView('Diffusion Dock');
    await wb.until(async () => (await wb.treeRows('Models')).length === 2, 'two models');
    expect(await dock.description('tiny-sd1')).toBe('not installed · 22.4 MB');
    await wb.clickTreeItem('Models', 'tiny-sd1', { expand: true });
    await wb.until(async () => (await wb.treeRows('Models')).length === 5, 'three files');
    expect((await wb.treeRows('Models')).find(({ label }) => label === 'taesd.safetensors')).toMatchObject({
      description: 'taesd · 2.5 MB',
      level: 2
    });
    await dock.screenshot('1-models');
  });

  it('pulls a model by its button and says so in the tree, the status bar and a message', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Pull' });
    // Neither is there for long.
    await Promise.all([
      wb.waitForStatusBar(/^tiny-sd1 \d+ %$/),
      wb.until(async () => /% · .*\/s$/.test((await dock.description('tiny-sd1')) ?? ''), 'progress and rate')
    ]);
    await dock.screenshot('2-pulling');
    await wb.waitForNotification('tiny-sd1 is installed (22.4 MB).');
    await wb.until(async () => (await dock.description('tiny-sd1')) === 'installed · 22.4 MB', 'the status');
    await dock.screenshot('3-installed');
  });

  it('generates an image and opens it', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'tiny-sd1', { action: 'Generate Image…' });
    await wb.answer('a lighthouse at dusk');
    await wb.quickInput.getByText('random', { exact: true }).waitFor();
    await dock.screenshot('4-request');
    await wb.page.keyboard.press('Enter');
    await wb.waitForNotification(/Generating with tiny-sd1/);
    await dock.screenshot('5-generating');
    const frame = await wb.webviewFrame({ has: 'img' });
    await wb.until(
      () => frame.locator('img').evaluate((image: { naturalWidth?: number }) => image.naturalWidth === 128),
      'the image'
    );
    await dock.screenshot('6-image');
  });

  it('finds it again by its prompt', async () => {
    const { wb } = dock;
    await wb.execCommand('View: Close All Editors');
    await wb.execCommand('Diffusion Dock: Open Generated Image…');
    await wb.quickInput.getByText('tiny-sd1 · 128 × 128').waitFor();
    await dock.screenshot('6-images');
    await wb.pick('a lighthouse at dusk');
    await wb.webviewFrame({ has: 'img' });
  });

  it('begins with the values of the image that is open when another is to be like it', async () => {
    const { wb } = dock;
    await wb.execCommand('Diffusion Dock: Generate Like Image…');
    await wb.until(
      async () => (await wb.quickInput.locator('.quick-input-filter input').inputValue()) === 'a lighthouse at dusk',
      'the prompt of the image'
    );
    await wb.page.keyboard.press('Enter');
    await wb.quickInput.getByText(/\b4 steps\b/).waitFor();
    await dock.screenshot('6-like');
    await wb.page.keyboard.press('Escape');
  });

  it('copies the command line that makes the image that is open', async () => {
    const { wb } = dock;
    await wb.execCommand('Diffusion Dock: Copy as Command Line…');
    await wb.quickInput.getByText('The engine alone').waitFor();
    await dock.screenshot('6-command');
    await wb.page.keyboard.press('Enter');
    await wb.waitForNotification('The command line was copied.');
  });

  it('makes another image from the one that is open', async () => {
    const { wb } = dock;
    await wb.execCommand('Diffusion Dock: Generate from Image…');
    await wb.pick('tiny-sd1');
    await wb.answer('a lighthouse by day');
    await wb.quickInput.getByText(/^[0-9a-f]{12}…$/).waitFor();
    await wb.pick('Strength');
    await wb.answer('0.5');
    await wb.quickInput.getByText('0.5', { exact: true }).waitFor();
    await dock.screenshot('6-from-image');
    await wb.page.keyboard.press('Enter');
    const images = () =>
      readdirSync(path.join(dock.home, 'images', 'sha256'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.json'))
        .map((name) => JSON.parse(readFileSync(path.join(dock.home, 'images', 'sha256', name), 'utf8')));
    const made = await wb.until(() => images().find(({ label }) => label === 'a lighthouse by day'), 'its sidecar');
    expect(made).toMatchObject({ mode: 'image-to-image', request: { strength: 0.5 }, width: 128, height: 128 });
    await wb.until(async () => (await dock.description('tiny-sd1')) === 'installed · 22.4 MB', 'the end of the run');
  });

  it('shows exactly one problem for one mistake in a manifest', async () => {
    const { wb, workspace } = dock;
    await wb.execCommand('View: Close All Editors');
    const manifest = path.join(workspace, 'tiny-sd1', 'manifest.json');
    const sound = readFileSync(manifest, 'utf8');
    const digest = /"sha256": "([0-9a-f]{64})"/.exec(sound)?.[1] ?? '';
    writeFileSync(manifest, sound.replace('"task": ', '"task" '));
    await wb.openFile(manifest);
    const syntax = await wb.until(async () => nonEmpty(await wb.problems()), 'the syntax error');
    expect(syntax).toMatchObject([{ file: 'manifest.json', source: 'json', line: 5 }]);
    await dock.screenshot('7-syntax');

    writeFileSync(manifest, sound.replace(digest, digest.slice(0, 40)));
    const problems = await wb.until(async () => {
      const found = await wb.problems();
      return found.some(({ source }) => source === 'json') ? undefined : nonEmpty(found);
    }, 'the bad digest');
    expect(problems).toMatchObject([{ source: 'Diffusion Dock', code: 'bad-digest', severity: 'error', line: 13 }]);
    await dock.screenshot('8-problem');

    writeFileSync(manifest, sound);
    await wb.until(async () => (await wb.problems()).length === 0, 'no problem');
  });
});

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
