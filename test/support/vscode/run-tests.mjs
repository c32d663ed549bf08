#!/usr/bin/env node
// Runs an extension's test module in the extension host of a VS Code workbench, or only opens the
// workbench with the extension in it.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openWorkbench } from './session.mjs';

const USAGE = `usage: node run-tests.mjs (--extension DIR | --vsix FILE) [--tests FILE] [options]

  --extension DIR       extension under development (its package.json's folder)
  --vsix FILE           packaged extension to install
  --tests FILE          CommonJS or .mjs module that exports run(); without it the workbench is
                        opened, left to settle, and closed
  --version V           VS Code version (default 1.100)
  --workspace DIR       folder to open (default: an empty one)
  --user-settings JSON  user settings, as JSON text or the name of a JSON file
  --env NAME=VALUE      for the extension host; repeatable
  --workspace-trust     open the workspace untrusted
  --screenshot FILE     picture of the workbench at the end
  --logs DIR            receives the logs if the run fails (default: vscode-harness-logs)
  --timeout SECONDS     limit for the whole run (default 300)
  --settle SECONDS      how long to watch a workbench without tests (default 5)
  --verbose             show what the workbench itself logs, on stderr`;

const { values: args } = parseArgs({
  options: {
    extension: { type: 'string' },
    vsix: { type: 'string' },
    tests: { type: 'string' },
    version: { type: 'string', default: '1.100' },
    workspace: { type: 'string' },
    'user-settings': { type: 'string', default: '{}' },
    env: { type: 'string', multiple: true, default: [] },
    'workspace-trust': { type: 'boolean' },
    screenshot: { type: 'string' },
    logs: { type: 'string', default: 'vscode-harness-logs' },
    timeout: { type: 'string', default: '300' },
    settle: { type: 'string', default: '5' },
    verbose: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' }
  }
});
if (args.help || !(args.extension || args.vsix)) {
  console.log(USAGE);
  process.exit(args.help ? 0 : 2);
}

const settingsText = args['user-settings'].trimStart().startsWith('{')
  ? args['user-settings']
  : fs.readFileSync(args['user-settings'], 'utf8');
const emptyFolder = args.workspace ? undefined : fs.mkdtempSync(path.join(os.tmpdir(), 'vscode-harness-ws-'));
const absolute = (file) => file && path.resolve(file);
const activationErrors = [];
let workbench;
let exitCode = 1; // should anything throw

/** Copies the logs of the server, the extension host and the window to the log folder. */
function saveLogs(windowLogs = []) {
  const target = path.resolve(args.logs);
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  const copy = (from, to) => fs.existsSync(from) && fs.cpSync(from, path.join(target, to), { recursive: true });
  copy(path.join(workbench.root, 'server.log'), 'server.log');
  copy(path.join(workbench.root, 'user-data', 'logs'), 'server');
  for (const { relativePath, contents } of windowLogs) {
    const file = path.join(target, 'window', relativePath);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, contents);
  }
  console.error(`[harness] logs are in ${target}`);
}

const interrupted = new Promise((resolve) => {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15]
  ]) {
    process.once(signal, () => {
      exitCode = 128 + number;
      resolve({ code: exitCode, problem: `interrupted by ${signal}` });
    });
  }
});

async function main() {
  workbench = await openWorkbench({
    version: args.version,
    workspace: absolute(args.workspace) ?? emptyFolder,
    extension: absolute(args.extension),
    vsix: absolute(args.vsix),
    tests: absolute(args.tests),
    settings: JSON.parse(settingsText),
    env: Object.fromEntries(args.env.map((pair) => pair.split(/=(.*)/s, 2))),
    workspaceTrust: args['workspace-trust'],
    onConsole: (text, level) => (level === 'error' ? process.stderr : process.stdout).write(`${text}\n`),
    onNoise: (text) => {
      activationErrors.push(...(text.match(/Activating extension '.*' failed.*/) ?? []));
      if (args.verbose) process.stderr.write(`[workbench] ${text}\n`);
    }
  });
  const limit = sleep(
    Number(args.timeout) * 1000,
    { code: 1, problem: `no end after ${args.timeout} s` },
    { ref: false }
  );
  const result = await Promise.race([
    args.tests ? workbench.testsEnded : sleep(Number(args.settle) * 1000, { code: 0 }),
    interrupted,
    workbench.serverGone.then((how) => ({ code: 1, problem: `the VS Code server ${how}` })),
    limit
  ]);
  if (args.screenshot)
    await workbench
      .screenshot(args.screenshot)
      .catch((error) => console.error(`[harness] no screenshot: ${error.message}`));
  if (result.problem) console.error(`[harness] ${result.problem}`);
  for (const error of activationErrors) console.error(`[harness] ${error}`);
  const code = result.code || (activationErrors.length ? 1 : 0);
  if (code) saveLogs(result.logs);
  return code;
}

async function end(code) {
  await workbench?.close();
  if (emptyFolder) fs.rmSync(emptyFolder, { recursive: true, force: true });
  process.exit(code);
}

main().then(end, (error) => {
  console.error(`[harness] ${error.message}`);
  return end(exitCode);
});
