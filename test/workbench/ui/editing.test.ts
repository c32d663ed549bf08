import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

const MANIFEST = 'tiny-sd1/manifest.json';

let dock: Dock;

beforeAll(async () => {
  dock = await openDock();
});

afterAll(async () => {
  await dock?.[Symbol.asyncDispose]();
});

/** The manifest as the editor saved it. */
function saved(): string {
  return readFileSync(path.join(dock.workspace, MANIFEST), 'utf8');
}

/** The lines that the editor shows, with what it shows between the words. */
async function editorText(): Promise<string> {
  const text = await dock.wb.page.locator('.editor-instance .view-lines').first().innerText();
  return text.replaceAll('\u00a0', ' ');
}

describe('a manifest in the editor', () => {
  it('shows above its name what can be done with the model, and does it', async () => {
    const { wb } = dock;
    await wb.openFile(MANIFEST);
    const lens = wb.page.locator('.codelens-decoration a');
    await wb.until(async () => (await lens.allInnerTexts()).join() === 'Pull', 'the lens to pull');
    await dock.screenshot('editing-1-lens');
    await lens.first().click();
    await wb.waitForNotification('tiny-sd1 is installed');
    await wb.until(async () => (await lens.allInnerTexts()).join() === 'Generate,Verify', 'the other lenses');
    await dock.screenshot('editing-2-installed');
  });

  it('explains a field under the pointer', async () => {
    const { wb } = dock;
    await wb.page
      .locator('.view-lines span', { hasText: /^"role"$/ })
      .first()
      .hover();
    const hover = wb.page.locator('.monaco-hover:visible');
    await hover.waitFor();
    await dock.screenshot('editing-3-hover');
    expect(await hover.innerText()).toContain('What the file is to the engine');
    await wb.page.keyboard.press('Escape');
  });

  it('offers what may be written, and writes it', async () => {
    const { wb } = dock;
    const { page } = wb;
    const sound = saved();
    await wb.goBehind('"task": "text-to-image",');
    await page.keyboard.press('Enter');
    await page.keyboard.type('"cred');
    const first = page.locator('.suggest-widget.visible .monaco-list-row.focused');
    await wb.until(async () => /credential_alias/.test(await first.innerText()), 'the field on offer');
    await dock.screenshot('editing-4-completion');
    await page.keyboard.press('Enter');
    await wb.until(async () => /"credential_alias": ""/.test(await editorText()), 'the field in the text');
    await page.keyboard.type('team');
    await page.keyboard.press('Control+S');
    await wb.until(() => /"credential_alias": "team"/.test(saved()), 'the field in the file');
    expect(JSON.parse(saved())).toEqual({ ...JSON.parse(sound), credential_alias: 'team' });
    // What another program writes before the editor is done with saving passes for what was saved.
    await page.locator('.editor-group-container.active .tab.active:not(.dirty)').waitFor();
    writeFileSync(path.join(dock.workspace, MANIFEST), sound);
    await wb.until(async () => !/credential_alias/.test(await editorText()), 'the text as it was');
  });

  it('has its mistakes mended by the keyboard alone', async () => {
    const { wb } = dock;
    const { page } = wb;
    const sound = saved();
    await wb.goBehind('"sampling_metho');
    await page.keyboard.press('Delete');
    const problems = await wb.until(async () => {
      const found = await wb.problems();
      return found.some(({ code }) => code === 'unknown-field') ? found : undefined;
    }, 'the problem');
    expect(problems).toMatchObject([{ message: expect.stringContaining('“sampling_method”') }]);
    await page.keyboard.press('Control+1');
    await page.keyboard.press('F8');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+.');
    const menu = page.locator('.action-widget:visible');
    await menu.waitFor();
    await dock.screenshot('editing-5-fix');
    expect(await menu.innerText()).toContain('Write “sampling_method”');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Control+S');
    await wb.until(() => saved() === sound, 'the file as it was');
    await wb.until(async () => (await wb.problems()).length === 0, 'no problem');
    await dock.screenshot('editing-6-mended');
  });
});
