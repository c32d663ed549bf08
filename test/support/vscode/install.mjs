#!/usr/bin/env node
// Installs a VS Code server with its web workbench from the npm registry. No package's
// install scripts are run; the few native modules the server really needs are built here.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exactVersion, KNOWN_VERSIONS, packageVersion, paths } from './install-location.mjs';

const USAGE = `usage: node install.mjs [--version ${Object.keys(KNOWN_VERSIONS).join('|')}|1.x.y]... [options]

  --version V     VS Code version, repeatable (default: every known one)
  --nodedir DIR   prefix whose include/node has the Node headers (default: the running Node's)
  --force         remove that version's folder first

Installations go to $VSCODE_HARNESS_CACHE, else $XDG_CACHE_HOME/diffusion-dock/vscode, else
~/.cache/diffusion-dock/vscode.`;

/** Native modules worth a build, each with what is lost without it. Others are never missed in tests. */
const NATIVE_MODULES = {
  '@vscode/spdlog': 'log files, output channel files',
  'node-pty': 'terminals and tasks',
  '@parcel/watcher': 'file events',
  'native-watchdog': 'the end of extension hosts whose server was killed',
  '@vscode/native-watchdog': 'the end of extension hosts whose server was killed'
};
const NODE_GYP = 'node-gyp@12';
const RIPGREP = '1.18.0';

const { values: args } = parseArgs({
  options: {
    version: { type: 'string', multiple: true },
    nodedir: { type: 'string' },
    force: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' }
  }
});
if (args.help) {
  console.log(USAGE);
  process.exit(0);
}

const say = (text) => console.log(`[install] ${text}`);
const platform = `${process.platform}-${process.arch}`;

/** Runs a command to its end; its output is shown only when it fails. */
function run(command, argv, options = {}) {
  const started = Date.now();
  const result = spawnSync(command, argv, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (result.error || result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    throw new Error(`${[command, ...argv].join(' ')} failed: ${result.error?.message ?? `exit code ${result.status}`}`);
  }
  return ((Date.now() - started) / 1000).toFixed(1);
}

/** The server's packages ask for the server's own Node, which is fetched with them. */
const NPM_FLAGS = ['--ignore-scripts', '--engine-strict=false', '--no-audit', '--no-fund', '--loglevel=error'];

const npm = (cwd, ...argv) => run('npm', [...argv, ...NPM_FLAGS], { cwd });

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** Node headers for node-gyp; the modules use Node-API, so one Node's headers serve every Node. */
function nodedir() {
  const candidates = [
    args.nodedir,
    process.env.npm_config_nodedir,
    path.dirname(path.dirname(fs.realpathSync(process.execPath)))
  ];
  return candidates.find((dir) => dir && fs.existsSync(path.join(dir, 'include', 'node', 'node_api.h')));
}

/** Whether a package has a binary for this platform: in it, in a package beside it, or built before. */
function hasBinary(folder) {
  const release = path.join(folder, 'build', 'Release');
  return (
    fs.existsSync(path.join(folder, 'prebuilds', platform)) ||
    fs.readdirSync(path.dirname(folder)).some((name) => name.startsWith(`${path.basename(folder)}-${platform}`)) ||
    (fs.existsSync(release) && fs.readdirSync(release).some((name) => name.endsWith('.node')))
  );
}

function buildNativeModules(dir, vscode) {
  const gyp = path.join(dir, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const headers = nodedir();
  const gypFlags = headers ? [`--nodedir=${headers}`] : [];
  for (const [name, use] of Object.entries(NATIVE_MODULES)) {
    const folder = path.join(vscode, 'node_modules', name);
    if (!fs.existsSync(path.join(folder, 'binding.gyp')) || hasBinary(folder)) continue;
    try {
      say(`built ${name} (${run(process.execPath, [gyp, 'rebuild', ...gypFlags], { cwd: folder })} s)`);
    } catch (error) {
      const needs = "a C++ compiler, make, Python and Node's headers";
      say(`could not build ${name}, so there will be no ${use}; it takes ${needs}\n${error.message}`);
    }
  }
}

/** Older releases fetch ripgrep in an install script; findFiles and workspaceContains need it. */
function provideRipgrep(dir, vscode) {
  const home = path.join(vscode, 'node_modules', '@vscode', 'ripgrep');
  const target = path.join(home, 'bin', 'rg');
  if (!fs.existsSync(home) || fs.existsSync(target)) return;
  npm(dir, 'install', `@vscode/ripgrep-${platform}@${RIPGREP}`);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(path.join(dir, 'node_modules', '@vscode', `ripgrep-${platform}`, 'bin', 'rg'), target);
  fs.chmodSync(target, 0o755);
  say('provided ripgrep');
}

function install(version) {
  const exact = exactVersion(version);
  const { dir, vscode, marker } = paths(exact);
  if (args.force) fs.rmSync(dir, { recursive: true, force: true });
  if (fs.existsSync(marker)) {
    say(`VS Code ${exact} is already in ${dir}`);
    return;
  }
  const started = Date.now();
  say(`VS Code ${exact} goes to ${dir}`);
  fs.mkdirSync(dir, { recursive: true });
  if (!fs.existsSync(path.join(dir, 'package.json'))) {
    fs.writeFileSync(path.join(dir, 'package.json'), '{ "private": true }\n');
  }
  say(
    `fetched the server package (${npm(dir, 'install', '--save-exact', `code-server@${packageVersion(exact)}`, NODE_GYP)} s)`
  );
  say(`fetched the server's dependencies (${npm(vscode, 'install', '--omit=dev')} s)`);

  // The server gets the Node it was made for, whichever Node runs the harness.
  const major = parseInt(readJson(path.join(vscode, '..', '..', 'package.json')).engines.node, 10);
  const name = `node-${platform}`;
  say(`fetched Node ${major} (${npm(dir, 'install', `${name}@${major}`)} s)`);
  const node = path.join('node_modules', name, 'bin', 'node');
  fs.chmodSync(path.join(dir, node), 0o755);
  provideRipgrep(dir, vscode);
  buildNativeModules(dir, vscode);
  fs.writeFileSync(marker, `${JSON.stringify({ version: exact, node })}\n`);
  say(`VS Code ${exact} is ready (${((Date.now() - started) / 1000).toFixed(0)} s)`);
}

try {
  for (const version of args.version ?? Object.keys(KNOWN_VERSIONS)) install(version);
} catch (error) {
  console.error(`[install] ${error.message}`);
  process.exit(1);
}
