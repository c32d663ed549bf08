import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dock, openDock } from './dock-workbench';

const CANARY = 'canary7f3a9b1c5d';

const MANIFEST = JSON.stringify({
  name: 'signed',
  files: [{ role: 'taesd', url: `{origin}/taesd.safetensors?token=${CANARY}`, filename: 'taesd.safetensors' }]
});

let dock: Dock;

beforeAll(async () => {
  dock = await openDock({
    files: { 'signed/manifest.json': MANIFEST },
    env: { HF_TOKEN: CANARY, DIFFUSION_DOCK_TOKEN_HUGGINGFACE: CANARY, DIFFUSION_DOCK_TOKEN_TEAM: CANARY },
    settings: { 'diffusionDock.trace.server': 'verbose' }
  });
});

afterAll(() => dock?.[Symbol.asyncDispose]());

describe('a secret in the environment or in a manifest', () => {
  it('is in no log, even when everything is traced', async () => {
    const { wb, workspace, home } = dock;
    await wb.execCommand('Diffusion Dock: Show Log');
    await wb.execCommand('Developer: Set Log Level...');
    await wb.pick('Trace');
    await wb.openView('Diffusion Dock');
    await wb.openFile('signed/manifest.json');
    await wb.until(() => dock.log().includes('textDocument/didOpen'), 'the document in the trace');
    await wb.until(async () => (await wb.problems()).some(({ code }) => code === 'secret'), 'the problem');
    expect(dock.log()).toContain('/taesd.safetensors?…');
    const tainted = [
      ...filesBelow(path.join(wb.root, 'user-data', 'logs')),
      path.join(wb.root, 'server.log'),
      ...filesBelow(home)
    ].filter((file) => readFileSync(file).includes(CANARY));
    expect(tainted.map((file) => path.relative(workspace, file))).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());
}
