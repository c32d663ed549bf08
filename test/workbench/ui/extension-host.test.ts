import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildHostTests, root, writeHostWorkspace } from '../host/prepare.mjs';
import { VERSION, VSIX } from './under-test';

const folder = mkdtempSync(path.join(os.tmpdir(), 'dock-host-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('in the extension host', () => {
  it('the tests of test/workbench/host pass', async () => {
    const workspace = path.join(folder, 'workspace');
    writeHostWorkspace(workspace);
    const args = [
      ['--version', VERSION],
      VSIX ? ['--vsix', VSIX] : ['--extension', root],
      ['--tests', await buildHostTests()],
      ['--workspace', workspace],
      ['--env', `DIFFUSION_DOCK_HOME=${path.join(folder, 'home')}`],
      ['--logs', path.join(root, 'test', 'output', 'host-logs', VERSION)],
      ['--timeout', '100']
    ].flat();
    const runner = path.join(root, 'test', 'support', 'vscode', 'run-tests.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [runner, ...args], { encoding: 'utf8' });
    expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' });
    expect(stdout).toMatch(/4 passing/);
  });
});
