// Finds VS Code for the desktop, and runs its command line.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Where installers put its command, besides PATH. */
const USUAL_PLACES = {
  darwin: ['/Applications', path.join(os.homedir(), 'Applications')].map((folder) =>
    path.join(folder, 'Visual Studio Code.app', 'Contents', 'Resources', 'app', 'bin', 'code')
  ),
  win32: [process.env.LOCALAPPDATA && path.join(process.env.LOCALAPPDATA, 'Programs'), process.env.ProgramFiles]
    .filter(Boolean)
    .map((folder) => path.join(folder, 'Microsoft VS Code', 'bin', 'code.cmd')),
  linux: ['/usr/share/code/bin/code', '/snap/bin/code']
};

/** @returns {string | undefined} absolute path of the `code` command */
export function findDesktopVscode() {
  const name = process.platform === 'win32' ? 'code.cmd' : 'code';
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const places = [...folders.map((folder) => path.join(folder, name)), ...(USUAL_PLACES[process.platform] ?? [])];
  return places.find((file) => existsSync(file));
}

/**
 * Whether a window can be expected to appear before whoever typed the command: not on a build machine, as root
 * (which VS Code refuses), in WSL or a remote terminal (whose `code` belongs to an editor elsewhere), or without a
 * display.
 * @returns {boolean}
 */
export function canShowWindow({ env, platform } = process) {
  if (env.CI || env.WSL_DISTRO_NAME || env.SSH_CONNECTION || env.VSCODE_IPC_HOOK_CLI) return false;
  if (platform !== 'linux') return true;
  return process.getuid() !== 0 && Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/**
 * Runs the `code` command to its end, with its output on ours.
 * @param {string} code path of the command
 * @param {string[]} args
 * @param {Record<string, string>} [env] additions to the environment
 * @returns {Promise<number>} exit status; 1 for a death by signal
 */
export function runCode(code, args, env) {
  const options = { stdio: 'inherit', env: { ...process.env, ...env } };
  // On Windows it is a .cmd file, which only a shell starts, and which takes quoted words.
  const child = code.endsWith('.cmd')
    ? spawn([code, ...args].map((word) => `"${word}"`).join(' '), { ...options, shell: true })
    : spawn(code, args, options);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? 1));
  });
}
