// VS Code's server as a person uses it: on a fixed port, and for as long as it is wanted.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endTree, signalProcess } from './process-tree.mjs';
import { SetupError } from './setup.mjs';

/** How long the server may take until it answers, and to end in order, in ms. */
const START_MS = 60_000;
const END_MS = 5000;

/** An address that nobody serves: trying the product out talks to no marketplace. */
const NO_MARKETPLACE = JSON.stringify({ serviceUrl: 'https://127.0.0.1:9', itemUrl: 'https://127.0.0.1:9' });

/**
 * @typedef {object} VscodeServer
 * @property {number} port
 * @property {Promise<string>} gone says how the server ended
 * @property {() => Promise<void>} stop ends it with all it started
 */

/**
 * Starts a server on loopback and waits until it answers.
 *
 * There is no connection token, so that the address is all one needs. Workspace trust is off, for the workspace is
 * the project's own: VS Code would open it in Restricted Mode, where nothing can be pulled.
 * @param {import('../test/support/vscode/install-location.mjs').Installation} installation
 * @param {{ userData: string, serverData: string, extensions: string }} profile
 * @param {{ port: number, env: Record<string, string>, logFile: string }} options `port`: the preferred one
 * @returns {Promise<VscodeServer>}
 * @throws {SetupError}
 */
export async function startVscodeServer(installation, profile, { port: preferred, env, logFile }) {
  const port = await freePort(preferred);
  const child = spawnServer(installation, profile, { port, env, logFile });
  const killGroup = () => child.pid !== undefined && signalProcess(-child.pid, 'SIGKILL');
  process.once('exit', killGroup);
  const gone = endOf(child).then((end) => {
    process.removeListener('exit', killGroup);
    return end;
  });
  const stop = () => (child.pid === undefined ? Promise.resolve() : endTree(child.pid, END_MS));
  const problem = await Promise.race([answers(port), gone]);
  if (problem === undefined) return { port, gone, stop };
  await stop();
  throw new SetupError(`The VS Code server ${problem}; its output:\n${readFileSync(logFile, 'utf8')}`);
}

function spawnServer({ node, vscode }, { userData, serverData, extensions }, { port, env, logFile }) {
  const values = {
    'user-data-dir': userData,
    'server-data-dir': serverData,
    'extensions-dir': extensions,
    'telemetry-level': 'off',
    host: '127.0.0.1',
    port: String(port)
  };
  const flags = [
    '--accept-server-license-terms',
    '--without-connection-token',
    '--disable-workspace-trust',
    '--disable-update-check',
    '--disable-getting-started-override'
  ];
  const named = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
  // Started from a terminal of VS Code it would take itself for a part of that one.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VSCODE|ELECTRON)_/.test(name));
  const log = openSync(logFile, 'w');
  try {
    return spawn(node, [path.join(vscode, 'out', 'server-main.js'), ...flags, ...named], {
      env: { ...Object.fromEntries(inherited), EXTENSIONS_GALLERY: NO_MARKETPLACE, ...env },
      stdio: ['ignore', log, log],
      // A group of its own, so that Ctrl-C in the terminal reaches only us, who end it in order.
      detached: true
    });
  } finally {
    closeSync(log);
  }
}

function endOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`did not start: ${error.message}`));
    child.once('exit', (code, signal) => resolve(`ended with ${signal ?? `status ${code}`}`));
  });
}

/** Waits until the server answers; gives a problem when it does not. */
async function answers(port) {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    const response = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
    if (response?.ok) return undefined;
    await sleep(100);
  }
  return 'did not answer in time';
}

/** The wanted port of 127.0.0.1 when nobody has it, else any other. */
async function freePort(wanted) {
  const probe = net.createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
  } catch (error) {
    if (error.code !== 'EADDRINUSE' || wanted === 0) throw error;
    return freePort(0);
  }
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
