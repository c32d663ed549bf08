// Opens an extension in the VS Code workbench and drives the workbench as a user would.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { addDevelopmentOptions, launchBrowser, serveSecretKey, stopAnimations } from './browser.mjs';
import { findInstallation } from './install-location.mjs';
import { extensionHostEnd, installVsix, startServer } from './server.mjs';
import { Workbench } from './workbench.mjs';

/** Keeps the workbench still: nothing that asks, greets, updates, or covers the editor. */
const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.openRepositoryInParentFolders': 'never',
  'telemetry.telemetryLevel': 'off',
  'update.showReleaseNotes': false
};

/** An extension that does nothing, to run tests with when the tested one is installed from a VSIX. */
const EMPTY_EXTENSION = fileURLToPath(new URL('./empty-extension', import.meta.url));

/** What the workbench itself logs during a test run; it comes mixed with the console of the extension host. */
const WORKBENCH_NOISE = new RegExp(
  [
    /^(Resolv(ing|ed) connection token|Creating a socket|Creation of workbench contribution|Loading development extension at)\b/,
    /^(Updating|Ignoring following) additional builtin extensions/,
    /^(Error while fetching the extension under development|Request to .* failed with status code|ChatSessionStore:|OverlayWebview has been disposed)/,
    /^\[(remote-connection|reconnection-grace-time|Service Worker|AgentHost|AccountPolicyGate)\b/,
    /^WebSocket close with status code/,
    /\/out\/vs\/code\/browser\/workbench\/workbench\.js:/
  ]
    .map((pattern) => pattern.source)
    .join('|')
);

/**
 * @typedef {object} WorkbenchOptions
 * @property {string} [version] "1.100", "1.139" or an installed exact version (default "1.100")
 * @property {string} workspace folder or .code-workspace file to open
 * @property {string} [extension] folder of the extension under development
 * @property {string} [vsix] packaged extension to install, instead or besides
 * @property {string} [installed] folder of extensions that are installed already, of which the profile gets a copy
 * @property {string[]} [builtIn] names of VS Code's own extensions to start with (default: all)
 * @property {string} [tests] module whose run() is executed in the extension host
 * @property {Record<string, unknown>} [settings] user settings, on top of QUIET_SETTINGS
 * @property {Record<string, unknown>} [machineSettings] settings of the remote machine: those of scope "machine"
 * @property {boolean} [workspaceTrust] leave workspace trust on: the workspace opens untrusted
 * @property {Record<string, string>} [env] additions to the extension host's environment
 * @property {string[]} [serverFlags] further flags for the VS Code server
 * @property {{width: number, height: number}} [viewport]
 * @property {boolean} [headless]
 * @property {string} [browser] path of a Chromium
 * @property {(text: string, level: string) => void} [onConsole] console of the extension host
 * @property {(text: string, level: string) => void} [onNoise] what the workbench itself logs
 */

/**
 * Starts a server and a browser of its own and opens the workbench in them; close the workbench to end both.
 * @param {WorkbenchOptions} options
 * @returns {Promise<Workbench>}
 */
export async function openWorkbench(options) {
  const installation = findInstallation(options.version ?? '1.100');
  const workspace = fs.realpathSync(options.workspace);
  const dirs = makeProfile(installation, options);
  /** @type {(() => unknown)[]} */
  const cleanups = [() => fs.rmSync(dirs.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })];
  const close = async () => {
    while (cleanups.length) await cleanups.pop()?.();
  };
  try {
    if (options.vsix) await installVsix(installation, dirs, path.resolve(options.vsix));
    const logFile = path.join(dirs.root, 'server.log');
    const trust = options.workspaceTrust ? [] : ['--disable-workspace-trust'];
    // Each takes a second to start; neither waits for the other.
    const starting = launchBrowser(options);
    const serving = startServer(installation, dirs, {
      env: options.env,
      flags: [...trust, '--builtin-extensions-dir', dirs.builtIn, ...(options.serverFlags ?? [])],
      logFile
    });
    cleanups.push(() => starting.then(({ instance }) => instance.close(), hasCleanedUp));
    cleanups.push(() => serving.then(({ stop }) => stop(), hasCleanedUp));
    const [{ page }, server] = await Promise.all([starting, serving]);

    const authority = `127.0.0.1:${server.port}`;
    const origin = `http://${authority}`;
    const extension = options.extension ?? (options.tests && EMPTY_EXTENSION);
    const remote = (file) => ({ scheme: 'vscode-remote', authority, path: fs.realpathSync(file) });
    await serveSecretKey(page, origin);
    await stopAnimations(page);
    await addDevelopmentOptions(page, {
      ...(extension && { extensions: [remote(extension)] }),
      ...(options.tests && { extensionTestsPath: remote(options.tests) })
    });
    const workbench = new Workbench(page, { root: dirs.root, workspace, origin, serverGone: server.gone, close });
    const stopListening = await listenToConsole(workbench, options, logFile);
    cleanups.push(stopListening);
    await page.goto(workbenchAddress(origin, workspace));
    if (!options.tests) await workbench.ready();
    return workbench;
  } catch (error) {
    await close();
    throw error;
  }
}

/** What did not start leaves nothing. */
const hasCleanedUp = () => undefined;

/** A fresh profile in a temporary folder of its own. */
function makeProfile(installation, { settings, machineSettings = {}, installed, builtIn }) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'vscode-harness-'));
  const [userData, serverData, extensions] = ['user-data', 'server-data', 'extensions'].map((name) => {
    const dir = path.join(root, name);
    fs.mkdirSync(dir);
    return dir;
  });
  if (installed) fs.cpSync(installed, extensions, { recursive: true });
  const written = { User: { ...QUIET_SETTINGS, ...settings }, Machine: machineSettings };
  for (const [folder, values] of Object.entries(written)) {
    fs.mkdirSync(path.join(userData, folder));
    fs.writeFileSync(path.join(userData, folder, 'settings.json'), JSON.stringify(values, null, 2));
  }
  return { root, userData, serverData, extensions, builtIn: builtInExtensions(installation, root, builtIn) };
}

/** The folder with VS Code's own extensions: its own one, or one with links to some of them. */
function builtInExtensions({ vscode }, root, names) {
  const all = path.join(vscode, 'extensions');
  if (!names) return all;
  const dir = path.join(root, 'built-in');
  fs.mkdirSync(dir);
  for (const name of names) fs.symlinkSync(path.join(all, name), path.join(dir, name));
  return dir;
}

/**
 * Hands what the extension host and the workbench log to the listeners, and the end of the tests to the workbench.
 * @returns {Promise<() => void>} stops listening
 */
async function listenToConsole(workbench, { tests, onConsole, onNoise }, logFile) {
  const { page } = workbench;
  let listening = true;
  const hear = (listener, text, level) => listening && listener?.(text, level);
  if (tests) {
    await page.exposeFunction('codeAutomationLog', (level, args) => {
      const text = format(...args);
      hear(WORKBENCH_NOISE.test(text) ? onNoise : onConsole, text, level);
    });
    await page.exposeFunction('codeAutomationExit', async (code, logs) => {
      const result = code ? { code } : await extensionHostEnd(logFile);
      workbench.endTests({ ...result, logs });
    });
  } else {
    page.on('console', (message) => {
      const [, first, rest] = /^%c\[Extension Host\] %c(.*?) color: \w* color: \w*(.*)$/s.exec(message.text()) ?? [];
      if (first === undefined) hear(onNoise, message.text(), message.type());
      else hear(onConsole, first + rest, message.type());
    });
  }
  return () => {
    listening = false;
  };
}

function workbenchAddress(origin, workspace) {
  const query = new URLSearchParams({
    [workspace.endsWith('.code-workspace') ? 'workspace' : 'folder']: workspace,
    payload: JSON.stringify([
      ['skipWelcome', 'true'],
      ['skipReleaseNotes', 'true']
    ])
  });
  return `${origin}/?${query.toString()}`;
}
