// Makes a new machine ready: dependencies, browser, build. Uses nothing but Node until `npm ci` has run.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findBrowser } from '../test/support/vscode/install-location.mjs';
import { root, runVisibly } from './processes.mjs';

const OLDEST_NODE = '20.18.1';

/** A text font comes along: without any, Chromium draws a page without its letters. */
const BROWSER_PACKAGES = ['chromium', 'fonts-liberation'];

/** A machine that lacks something which the scripts cannot provide; the message says what to do. */
export class SetupError extends Error {}

/**
 * Runs a script's main function and turns its result into the exit status. A {@link SetupError} and wrong arguments
 * are printed without their stack; wrong arguments end with status 2.
 * @param {() => Promise<number>} main returns the exit status
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const isWrongUsage = error.code?.startsWith('ERR_PARSE_ARGS_');
    if (!isWrongUsage && !(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = isWrongUsage ? 2 : 1;
  }
}

/** Installs the dependencies when node_modules is missing or is not what package-lock.json asks for. */
export function ensureDependencies() {
  checkNodeVersion();
  const reason = staleReason(root);
  if (!reason) return;
  console.log(`installing dependencies: ${reason}`);
  // On Windows npm is a .cmd file, which only a shell starts.
  const status = runVisibly('npm', ['ci'], { shell: process.platform === 'win32' });
  if (status !== 0) throw new SetupError('npm ci failed; see above.');
}

function checkNodeVersion() {
  const [major, minor, patch] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor, wantedPatch] = OLDEST_NODE.split('.').map(Number);
  const distance = major - wantedMajor || minor - wantedMinor || patch - wantedPatch;
  if (distance < 0) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: Diffusion Dock needs Node ${OLDEST_NODE} or newer.`
    );
  }
}

/**
 * Why node_modules does not hold what package-lock.json asks for. Versions are compared, not times: a checkout
 * changes times.
 * @param {string} folder of the project
 * @returns {string | undefined} undefined when nothing needs to be installed
 */
export function staleReason(folder) {
  const wanted = readPackages(path.join(folder, 'package-lock.json'));
  const installed = readPackages(path.join(folder, 'node_modules', '.package-lock.json'));
  if (!installed) return 'node_modules is missing';
  for (const [name, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (name === '') continue;
    const found = installed[name];
    if (!found && (optional || devOptional)) continue;
    if (found?.version !== version) return `${name} is ${found ? found.version : 'missing'}, ${version} is wanted`;
  }
  const extra = Object.keys(installed).find((name) => !(name in wanted));
  return extra && `${extra} is no longer wanted`;
}

function readPackages(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Finds a Chromium, or installs one where this process may do so (as root on Debian and its kin). */
export function ensureBrowser() {
  if (findBrowser()) return;
  const wanted = process.env.VSCODE_HARNESS_BROWSER;
  if (wanted) throw new SetupError(`VSCODE_HARNESS_BROWSER names ${wanted}, which does not exist.`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    throw new SetupError(
      'The workbench tests need Chromium or Chrome in PATH or in VSCODE_HARNESS_BROWSER. ' +
        `On Debian: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${BROWSER_PACKAGES.join(' ')}`
    );
  }
  console.log(`installing ${BROWSER_PACKAGES.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...BROWSER_PACKAGES]]) {
    if (runVisibly('apt-get', ['-qq', ...args], { env }) !== 0) {
      throw new SetupError(`apt-get ${args.join(' ')} failed; see above.`);
    }
  }
  if (!findBrowser()) throw new SetupError('chromium is installed but not in PATH.');
}

/**
 * Installs the VS Code servers of the harness that are missing.
 * @param {string[]} versions for example `1.100`
 */
export function ensureVscode(versions) {
  const install = path.join(root, 'test', 'support', 'vscode', 'install.mjs');
  const args = versions.flatMap((version) => ['--version', version]);
  if (runVisibly(process.execPath, [install, ...args]) !== 0) throw new SetupError('VS Code could not be installed.');
}

/**
 * Builds dist/.
 * @param {{ production?: boolean }} [options]
 */
export async function ensureBuild(options) {
  // esbuild is a dependency, so it is there only now.
  const { buildAll } = await import('../esbuild.mjs');
  try {
    await buildAll(options);
  } catch (error) {
    if (!('errors' in error)) throw error;
    throw new SetupError('The build failed; see above.');
  }
}
