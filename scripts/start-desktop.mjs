// `npm start -- --desktop`: the packed extension in VS Code for the desktop, apart from the user's own profile.

import path from 'node:path';
import { runCode } from './desktop-vscode.mjs';
import { packageExtension } from './package.mjs';
import { interruption } from './processes.mjs';
import { editorProfile, openSampleHome } from './sample-home.mjs';
import { ensureDependencies, SetupError } from './setup.mjs';

/**
 * Opens a window and serves the samples until it is closed, or until Ctrl-C, which leaves the window alone.
 * @param {{ home: string, engine?: string, code: string }} options absolute paths; `code`: VS Code's command
 * @returns {Promise<number>} exit status
 */
export async function startDesktop({ home, engine, code }) {
  ensureDependencies();
  const { vsix } = await packageExtension();
  const { userData, extensions } = editorProfile(home, 'desktop');
  const profile = ['--user-data-dir', userData, '--extensions-dir', extensions];
  if ((await runCode(code, [...profile, '--install-extension', vsix, '--force'])) !== 0) {
    throw new SetupError(`${code} did not install ${path.basename(vsix)}; see above.`);
  }
  const interrupted = interruption();
  const samples = await openSampleHome({ home, engine, say: console.log });
  try {
    console.log(`VS Code   ${code}\n`);
    console.log('Choose Diffusion Dock at the left edge of the new window. Closing it ends everything.');
    // The workspace is the project's own; in Restricted Mode nothing could be pulled.
    const flags = ['--disable-workspace-trust', '--new-window', '--wait'];
    const closed = runCode(code, [...profile, ...flags, samples.workspace], samples.env);
    const status = await Promise.race([closed, interrupted]);
    if (status === undefined) console.log('The samples are no longer served; the window is yours to close.');
    return status ?? 0;
  } finally {
    await samples.close();
  }
}
