import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startMovingHub } from '../../support/hub/moving-hub';
import { sampleBytes } from '../../support/sample-bytes';
import { type Dock, openDock } from './dock-workbench';

const FILES = { 'q4/flux q4.gguf': sampleBytes(5000), 'ae.safetensors': sampleBytes(3000) };
const MANIFEST = 'flux/manifest.json';

function manifest(url: string): string {
  const files = [{ role: 'vae', url, filename: 'ae.safetensors' }];
  return `${JSON.stringify({ name: 'flux', files }, null, 2)}\n`;
}

/** Answers searches for repositories. */
function search({ url = '' }: IncomingMessage, response: ServerResponse): boolean {
  if (!url.startsWith('/api/models?')) return false;
  const found = [{ id: 'owner/repo' }, { id: 'owner/other' }];
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(found));
  return true;
}

/** Waits for a proposal, asks for proposals again as long as there is none, and takes it. */
async function accept(dock: Dock, proposal: string, picture: string): Promise<void> {
  const { wb } = dock;
  const { page } = wb;
  const row = page.locator('.suggest-widget.visible .monaco-list-row', { hasText: proposal });
  await wb.until(async () => {
    const isOffered = await row
      .first()
      .waitFor({ timeout: 3000 })
      .then(
        () => true,
        () => false
      );
    if (!isOffered) await page.keyboard.press('Control+Space');
    return isOffered;
  }, `the proposal ${proposal}`);
  await dock.screenshot(picture);
  const focused = page.locator('.suggest-widget.visible .monaco-list-row.focused');
  await wb.until(async () => {
    if ((await focused.innerText()).includes(proposal)) return true;
    await page.keyboard.press('ArrowDown');
    return false;
  }, `the proposal ${proposal} to be chosen`);
  await page.keyboard.press('Enter');
}

it('completes the address of a file on the hub with its repositories, and then with the files of one', async () => {
  const hub = await startMovingHub(FILES, { before: search });
  await using dock = await openDock({
    files: { [MANIFEST]: manifest('hf:ow') },
    env: { HF_ENDPOINT: hub.origin }
  });
  const { wb } = dock;
  await wb.openFile(MANIFEST);
  await wb.until(
    async () => (await wb.problems()).some(({ code }) => code === 'bad-url'),
    'the server to have read it'
  );
  await wb.goBehind('hf:ow');
  await accept(dock, 'hf:owner/repo/', 'hub-completion-1-repositories');
  await accept(dock, 'hf:owner/repo/ae.safetensors', 'hub-completion-2-files');
  await wb.page.keyboard.press('Control+S');
  const saved = manifest('hf:owner/repo/ae.safetensors');
  await wb.until(
    async () => (await readFile(join(dock.workspace, MANIFEST), 'utf8')) === saved,
    'the address in the file'
  );
  expect(hub.requests.filter((request) => request.includes('/api/models?search=ow')).length).toBeGreaterThan(0);
}, 240_000);
