// Runs the VS Code server as a child process.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** @returns {Promise<number>} a TCP port that was free a moment ago */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

const serverArgs = (installation, dirs) => [
  path.join(installation.vscode, 'out', 'server-main.js'),
  '--accept-server-license-terms',
  '--user-data-dir',
  dirs.userData,
  '--server-data-dir',
  dirs.serverData,
  '--extensions-dir',
  dirs.extensions,
  '--telemetry-level',
  'off'
];

/** A marketplace nobody serves: requests fail at once, online and offline. (None at all makes 1.100 retry.) */
const NO_MARKETPLACE = JSON.stringify({ serviceUrl: 'https://127.0.0.1:9', itemUrl: 'https://127.0.0.1:9' });

/** The caller's environment without what would make VS Code believe it runs inside another one. */
function serverEnv(extra) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VSCODE|ELECTRON)_/.test(name));
  return { ...Object.fromEntries(inherited), EXTENSIONS_GALLERY: NO_MARKETPLACE, ...extra };
}

/**
 * Installs a packaged extension through the server's own command line.
 * @param {import('./install-location.mjs').Installation} installation
 * @param {{userData: string, serverData: string, extensions: string}} dirs
 * @param {string} vsix
 */
export async function installVsix(installation, dirs, vsix) {
  const child = spawn(installation.node, [...serverArgs(installation, dirs), '--install-extension', vsix, '--force'], {
    env: serverEnv(),
    stdio: ['ignore', 'pipe', 'pipe']
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0 || !/successfully installed/i.test(output)) throw new Error(`installing ${vsix} failed:\n${output}`);
}

/**
 * Starts a server on a free port and waits until it answers.
 * @param {import('./install-location.mjs').Installation} installation
 * @param {{userData: string, serverData: string, extensions: string}} dirs
 * @param {{env?: Record<string, string>, flags?: string[], logFile: string, timeout?: number}} options
 */
export async function startServer(installation, dirs, { env, flags = [], logFile, timeout = 60_000 }) {
  const port = await freePort();
  const log = fs.openSync(logFile, 'a');
  const child = spawn(
    installation.node,
    [
      ...serverArgs(installation, dirs),
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--without-connection-token',
      '--disable-update-check',
      '--disable-getting-started-override',
      '--enable-remote-auto-shutdown', // ends by itself should this process be killed
      ...flags
    ],
    {
      env: serverEnv(env),
      stdio: ['ignore', log, log],
      detached: true // its own process group, so that stopping it reaches all its children
    }
  );
  fs.closeSync(log);
  let exited;
  const gone = new Promise((resolve) => {
    child.once('error', (error) => resolve((exited = `failed to start: ${error.message}`)));
    child.once('exit', (code, signal) => resolve((exited = `ended with ${signal ?? code}`)));
  });

  const signalGroup = (signal) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      /* already gone */
    }
  };
  const kill = () => signalGroup('SIGKILL');
  process.once('exit', kill);

  async function stop() {
    signalGroup('SIGTERM');
    await Promise.race([gone, sleep(3000, undefined, { ref: false })]);
    kill();
    process.removeListener('exit', kill);
  }

  const deadline = Date.now() + timeout;
  for (;;) {
    if (exited) break;
    try {
      const response = await fetch(`http://127.0.0.1:${port}/version`);
      if (response.ok) return { port, pid: child.pid, stop, gone };
    } catch {
      /* not listening yet */
    }
    if (Date.now() > deadline) break;
    await sleep(100);
  }
  await stop();
  throw new Error(
    `the VS Code server ${exited ?? 'did not answer in time'}; its output:\n${fs.readFileSync(logFile, 'utf8')}`
  );
}

/**
 * How the extension host ended. The workbench does not tell: to it, tests whose process was
 * killed, or called process.exit(1), look the same as tests that passed.
 * @param {string} logFile the server's output
 * @returns {Promise<{code: number, problem?: string}>}
 */
export async function extensionHostEnd(logFile, timeout = 10_000) {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    const [, code, signal] =
      [
        ...fs.readFileSync(logFile, 'utf8').matchAll(/Extension Host Process exited with code: (\w+), signal: (\w+)/g)
      ].at(-1) ?? [];
    if (code === '0') return { code: 0 };
    if (code)
      return {
        code: Number(code) || 1,
        problem: `the extension host ended with ${code === 'null' ? signal : `code ${code}`}`
      };
    await sleep(100);
  }
  return { code: 1, problem: 'the extension host did not end after the tests' };
}
