// The folder in which the product is tried out: the cache root, the expanded samples, a workspace, and VS Code's own.

import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SAMPLE_PORT, startModelServer } from './model-server.mjs';
import { copySampleWorkspace, expandSamples } from './samples.mjs';
import { SetupError } from './setup.mjs';

const STAND_IN = fileURLToPath(new URL('../test/support/stand-in/sd-cli.mjs', import.meta.url));

/** An editor that greets, asks and fetches nothing by itself, so that what one sees is the product. */
const EDITOR_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false
};

/**
 * A folder of its own in the platform's data folder, so that a user's models are left alone.
 * @returns {string}
 */
export function defaultHome() {
  const name = 'diffusion-dock-sample';
  if (process.platform === 'win32') {
    return path.join(process.env.LOCALAPPDATA ?? path.join(os.homedir(), 'AppData', 'Local'), name);
  }
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Application Support', name);
  return path.join(process.env.XDG_DATA_HOME || path.join(os.homedir(), '.local', 'share'), name);
}

/**
 * @param {string | undefined} engine what the user asked for: `stand-in` or a path
 * @returns {string | undefined} absolute path; undefined leaves the search to the product
 * @throws {SetupError} when it does not exist
 */
export function enginePath(engine) {
  if (engine === undefined) return undefined;
  const file = engine === 'stand-in' ? STAND_IN : path.resolve(engine);
  if (!existsSync(file)) throw new SetupError(`there is no engine at ${file}`);
  return file;
}

/**
 * @typedef {object} SampleHome
 * @property {string} workspace real path of the folder with the sample manifests
 * @property {Record<string, string>} env what the product must find in its environment
 * @property {() => Promise<void>} close ends the model server
 */

/**
 * Expands the samples, serves them on loopback, and lays out a workspace whose manifests name the server.
 * @param {{ home: string, engine?: string, say: (line: string) => void }} options `home`, `engine`: absolute paths
 * @returns {Promise<SampleHome>}
 */
export async function openSampleHome({ home, engine, say }) {
  say(`home      ${home}`);
  const samples = path.join(home, 'samples');
  await expandSamples(samples);
  const server = await startModelServer({ folder: samples, port: SAMPLE_PORT });
  const workspace = path.join(home, 'workspace');
  await copySampleWorkspace(server.origin, workspace);
  say(`serving   ${server.origin}`);
  if (engine) say(`engine    ${engine}`);
  const env = { DIFFUSION_DOCK_HOME: home, ...(engine && { DIFFUSION_DOCK_SD_CLI: engine }) };
  return { workspace: realpathSync(workspace), env, close: server.close };
}

/**
 * A profile of VS Code apart from the user's own.
 * @param {string} home
 * @param {'browser' | 'desktop'} kind their formats differ
 * @returns {{ userData: string, serverData: string, extensions: string }} folders that exist
 */
export function editorProfile(home, kind) {
  const folder = path.join(home, 'vscode', kind);
  const profile = {
    userData: path.join(folder, 'user-data'),
    serverData: path.join(folder, 'server-data'),
    extensions: path.join(folder, 'extensions')
  };
  const settings = path.join(profile.userData, 'User', 'settings.json');
  for (const dir of [...Object.values(profile), path.dirname(settings)]) mkdirSync(dir, { recursive: true });
  if (!existsSync(settings)) writeFileSync(settings, `${JSON.stringify(EDITOR_SETTINGS, null, 2)}\n`);
  return profile;
}
