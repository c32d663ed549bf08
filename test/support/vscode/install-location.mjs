// Where the harness keeps its VS Code builds, and which builds it knows.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Releases the harness has been exercised with: short name -> exact VS Code version. */
export const KNOWN_VERSIONS = { '1.100': '1.100.3', 1.139: '1.139.1' };

/**
 * @param {string} version short ("1.100") or exact ("1.100.3")
 * @returns {string} exact VS Code version
 */
export function exactVersion(version) {
  const exact = KNOWN_VERSIONS[version] ?? version;
  if (!/^1\.\d+\.\d+$/.test(exact)) {
    throw new Error(
      `unknown VS Code version "${version}"; use ${Object.keys(KNOWN_VERSIONS).join(', ')} or a full 1.x.y`
    );
  }
  return exact;
}

/**
 * code-server 4.x.y packages VS Code 1.x.y.
 * @param {string} exact VS Code version
 * @returns {string} version of the package
 */
export const packageVersion = (exact) => exact.replace(/^1\./, '4.');

/** @returns {string} folder that holds one sub-folder per installed version */
function cacheRoot() {
  if (process.env.VSCODE_HARNESS_CACHE) return path.resolve(process.env.VSCODE_HARNESS_CACHE);
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'diffusion-dock', 'vscode');
}

/**
 * @typedef {object} Installation
 * @property {string} version exact VS Code version
 * @property {string} dir folder of this installation
 * @property {string} vscode the VS Code server tree (holds out/server-main.js)
 * @property {string} node the Node executable that runs the server
 */

/**
 * Where an exact version is, or would be, installed.
 * @param {string} exact
 * @returns {{ dir: string, vscode: string, marker: string }} `marker` is written last
 */
export function paths(exact) {
  const dir = path.join(cacheRoot(), exact);
  return {
    dir,
    vscode: path.join(dir, 'node_modules', 'code-server', 'lib', 'vscode'),
    marker: path.join(dir, 'harness-install.json')
  };
}

/**
 * @param {string} version short or exact
 * @returns {Installation}
 */
export function findInstallation(version) {
  const exact = exactVersion(version);
  const { dir, vscode, marker } = paths(exact);
  if (!fs.existsSync(marker)) {
    throw new Error(
      `VS Code ${exact} is not installed; run: node test/support/vscode/install.mjs --version ${version}`
    );
  }
  const { node } = JSON.parse(fs.readFileSync(marker, 'utf8'));
  return { version: exact, dir, vscode, node: path.join(dir, node) };
}

/**
 * @param {string} [wanted] explicit path
 * @returns {string | undefined} a Chromium-family browser
 */
export function findBrowser(wanted = process.env.VSCODE_HARNESS_BROWSER) {
  if (wanted) return fs.existsSync(wanted) ? wanted : undefined;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const dirs = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return names.flatMap((name) => dirs.map((dir) => path.join(dir, name))).find((file) => fs.existsSync(file));
}
