// @ts-check
// `npm run test:desktop`: runs the tests of this folder in a desktop VS Code, which is downloaded when it is missing.
// On Linux without a display: xvfb-run -a npm run test:desktop

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runTests } from '@vscode/test-electron';
import { buildAll } from '../../../esbuild.mjs';
import { buildHostTests, root, writeHostWorkspace } from './prepare.mjs';

/** The oldest VS Code that the extension supports, and the newest. */
const VERSIONS = ['1.100.3', 'stable'];

const folder = mkdtempSync(path.join(os.tmpdir(), 'dock-desktop-'));
const workspace = path.join(folder, 'workspace');

try {
  writeHostWorkspace(workspace);
  await buildAll();
  const extensionTestsPath = await buildHostTests();
  for (const version of VERSIONS) {
    await runTests({
      version,
      extensionDevelopmentPath: root,
      extensionTestsPath,
      launchArgs: [
        workspace,
        '--disable-extensions',
        '--disable-workspace-trust',
        '--user-data-dir',
        path.join(folder, version)
      ],
      extensionTestsEnv: { DIFFUSION_DOCK_HOME: path.join(folder, 'home') }
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
