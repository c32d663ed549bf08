import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawServer, respond, startRawServer } from '../../support/raw-http-server';
import { type Dock, openDock } from './dock-workbench';

const CANARY = 'canary7f3a9b1c5d';

const MANIFEST = JSON.stringify({
  name: 'signed',
  files: [{ role: 'taesd', url: `{origin}/taesd.safetensors?token=${CANARY}`, filename: 'taesd.safetensors' }]
});

const CONTENT = Buffer.from('private weights');

let dock: Dock;
let hub: RawServer;

beforeAll(async () => {
  hub = await startRawServer(({ headers }, socket) => {
    const isAllowed = headers['authorization'] === `Bearer ${CANARY}`;
    respond(
      socket,
      isAllowed ? 200 : 401,
      { 'Content-Length': isAllowed ? CONTENT.length : 0 },
      isAllowed ? CONTENT : ''
    );
  });
  const file = { role: 'taesd', url: `${hub.origin}/w`, filename: 'w.safetensors', size_bytes: CONTENT.length };
  const guarded = JSON.stringify({ name: 'guarded', credential_alias: 'my-hub', files: [file] });
  const silent = JSON.stringify({ name: 'silent', files: [{ ...file, url: `${hub.origin}/v` }] });
  dock = await openDock({
    files: { 'signed/manifest.json': MANIFEST, 'guarded/manifest.json': guarded, 'silent/manifest.json': silent },
    env: { HF_TOKEN: CANARY, DIFFUSION_DOCK_TOKEN_HUGGINGFACE: CANARY, DIFFUSION_DOCK_TOKEN_TEAM: CANARY },
    settings: { 'diffusionDock.trace.server': 'verbose' }
  });
});

afterAll(async () => {
  await dock?.[Symbol.asyncDispose]();
  await hub?.close();
});

describe('a secret in the environment or in a manifest', () => {
  it('is in no log, even when everything is traced', async () => {
    const { wb } = dock;
    // The level is set for the channels that are there; a workbench that is still being restored may hide the panel again.
    const output = wb.page.locator('[id="workbench.panel.output"]');
    await wb.until(async () => {
      await wb.execCommand('Diffusion Dock: Show Log');
      return output.waitFor({ timeout: 2000 }).then(
        () => true,
        () => false
      );
    }, 'the log');
    await wb.execCommand('Developer: Set Log Level...');
    await wb.pick('Trace');
    await wb.openView('Diffusion Dock');
    await wb.openFile('signed/manifest.json');
    await wb.until(() => dock.log().includes('textDocument/didOpen'), 'the document in the trace');
    await wb.until(async () => (await wb.problems()).some(({ code }) => code === 'secret'), 'the problem');
    expect(dock.log()).toContain('/taesd.safetensors?…');
    expect(taintedFiles()).toEqual([]);
  });
});

describe('a secret that the editor keeps', () => {
  it('is asked for by the failure that misses it, opens its own host, and is in no log', async () => {
    const { wb } = dock;
    await wb.openView('Diffusion Dock');
    await wb.clickTreeItem('Models', 'guarded', { action: 'Pull' });
    await wb.clickNotification('There is no credential named “my-hub”', 'Store Credential');
    await answerTo('The alias that manifests', 'my-hub');
    await wb.pick('Token');
    await answerTo('Where may the secret go?', hub.origin);
    await answerTo('The secret itself.', CANARY);
    await wb.waitForNotification('guarded is installed');
    expect(hub.requests).toHaveLength(1);
    expect(dock.log()).toContain('diffusionDock/credential/get');
    expect(taintedFiles()).toEqual([]);
  });

  it('serves a model whose manifest names none, once it is stored from the failure', async () => {
    const { wb } = dock;
    await wb.clickTreeItem('Models', 'silent', { action: 'Pull' });
    await wb.clickNotification('401', 'Store Credential');
    await answerTo('The alias that manifests', 'of-my-own');
    await wb.pick('Token');
    await answerTo('Where may the secret go?', hub.origin);
    await answerTo('The secret itself.', CANARY);
    await wb.waitForNotification('silent is installed');
    expect(taintedFiles()).toEqual([]);
  });
});

/** Answers an input box once it is the one with this prompt. */
async function answerTo(prompt: string, text: string): Promise<void> {
  await dock.wb.page.locator('.quick-input-widget:visible', { hasText: prompt }).waitFor();
  await dock.wb.answer(text);
}

/** Logs and files of the cache that hold the secret. */
function taintedFiles(): string[] {
  const { wb, workspace, home } = dock;
  const files = [
    ...filesBelow(path.join(wb.root, 'user-data', 'logs')),
    path.join(wb.root, 'server.log'),
    ...filesBelow(home)
  ];
  return files.filter((file) => readFileSync(file).includes(CANARY)).map((file) => path.relative(workspace, file));
}

function filesBelow(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());
}
