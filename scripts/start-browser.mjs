// `npm start -- --browser`: the packed extension in VS Code's server, at an address for any browser.

import path from 'node:path';
import { findInstallation } from '../test/support/vscode/install-location.mjs';
import { installVsix } from '../test/support/vscode/server.mjs';
import { packageExtension } from './package.mjs';
import { interruption } from './processes.mjs';
import { editorProfile, openSampleHome } from './sample-home.mjs';
import { ensureDependencies, ensureVscode, SetupError } from './setup.mjs';
import { startVscodeServer } from './vscode-server.mjs';

const VSCODE_VERSION = '1.139';
const PREFERRED_PORT = 8930;

/**
 * Serves the workbench until Ctrl-C.
 * @param {{ home: string, engine?: string }} options absolute paths
 * @returns {Promise<number>} exit status
 */
export async function startBrowser({ home, engine }) {
  if (process.platform === 'win32') {
    throw new SetupError('VS Code in the browser needs Linux or macOS. Install VS Code for the desktop instead.');
  }
  ensureDependencies();
  ensureVscode([VSCODE_VERSION]);
  const installation = findInstallation(VSCODE_VERSION);
  const { vsix } = await packageExtension();
  const profile = editorProfile(home, 'browser');
  await installVsix(installation, profile, vsix);

  const interrupted = interruption();
  const samples = await openSampleHome({ home, engine, say: console.log });
  try {
    const logFile = path.join(home, 'vscode', 'browser', 'server.log');
    const server = await startVscodeServer(installation, profile, {
      port: PREFERRED_PORT,
      env: samples.env,
      logFile
    });
    try {
      console.log(`VS Code   ${installation.version} with ${path.basename(vsix)}\n`);
      console.log(addressOf(server.port, samples.workspace));
      console.log('Open this address in a browser and choose Diffusion Dock at the left edge. Ctrl-C ends everything.');
      const end = await Promise.race([interrupted, server.gone]);
      if (end === undefined) return 0;
      console.error(`The VS Code server ${end}; its log is ${logFile}`);
      return 1;
    } finally {
      await server.stop();
    }
  } finally {
    await samples.close();
  }
}

/** Slashes stay as they are, for people to read. */
function addressOf(port, folder) {
  return `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder).replaceAll('%2F', '/')}`;
}
