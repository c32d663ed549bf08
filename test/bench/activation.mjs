// `npm run bench:activation`: how long the extension takes to be loaded and activated, and until its language server
// is ready, against an extension that does nothing but start an empty language server.

import { existsSync, realpathSync } from 'node:fs';
import { copyFile, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/processes.mjs';
import { ensureBrowser, ensureBuild, ensureDependencies, ensureVscode, runMain } from '../../scripts/setup.mjs';
import { medianOf, milliseconds, printHead, printTable, ratio } from './figures.mjs';

const VSCODE_VERSION = '1.100';
const PROBE = fileURLToPath(new URL('activation-probe.cjs', import.meta.url));
const EMPTY_CLIENT = fileURLToPath(new URL('empty-language-client', import.meta.url));

/** How long the server may take to get ready before the benchmark gives up, in ms. */
const READY_MS = 60_000;

/**
 * @typedef {object} Times in ms from the moment at which the extension's code begins to be loaded
 * @property {number} activated
 * @property {number} serverStarted the server's process is created
 * @property {number} serverReady it has answered `initialize`
 */

/** Builds the peer as the product is built. */
async function buildEmptyClient(folder) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [path.join(EMPTY_CLIENT, 'extension.ts'), path.join(EMPTY_CLIENT, 'server.ts')],
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.18',
    mainFields: ['module', 'main'],
    external: ['vscode']
  });
  await copyFile(path.join(EMPTY_CLIENT, 'package.json'), path.join(folder, 'package.json'));
}

/**
 * Opens a workspace with model manifests in a new VS Code with one extension.
 * @returns {Promise<Times>}
 */
async function measure(extension, main) {
  const { openWorkbench } = await import('../support/vscode/session.mjs');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'diffusion-dock-bench-'));
  const report = path.join(folder, 'times.json');
  const workspace = path.join(folder, 'workspace');
  await cp(path.join(root, 'samples', 'workspace'), workspace, { recursive: true });
  const env = {
    NODE_OPTIONS: `--require ${JSON.stringify(PROBE)}`,
    BENCH_MAIN: realpathSync(path.join(extension, main)),
    BENCH_REPORT: report,
    DIFFUSION_DOCK_HOME: path.join(folder, 'home')
  };
  const workbench = await openWorkbench({ version: VSCODE_VERSION, workspace, extension, env });
  try {
    await workbench.until(() => existsSync(report), 'the language server to get ready', READY_MS);
    return JSON.parse(await readFile(report, 'utf8'));
  } finally {
    await workbench.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function printRounds(rounds) {
  const row = (what, figure) => [
    what,
    milliseconds(medianOf(rounds, ({ ours }) => figure(ours))),
    milliseconds(medianOf(rounds, ({ empty }) => figure(empty))),
    ratio(medianOf(rounds, ({ ours, empty }) => figure(ours) / figure(empty)))
  ];
  printTable([
    ['', 'ours', 'empty client', 'ratio'],
    row('loaded and activated', ({ activated }) => activated),
    row('server ready', ({ serverReady }) => serverReady),
    row('of that, the server itself', ({ serverReady, serverStarted }) => serverReady - serverStarted)
  ]);
}

await runMain(async () => {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
  ensureDependencies();
  ensureBrowser();
  ensureVscode([VSCODE_VERSION]);
  await ensureBuild({ production: true });
  printHead(`activation in VS Code ${VSCODE_VERSION}, medians of ${values.rounds} rounds`);
  const emptyClient = await mkdtemp(path.join(os.tmpdir(), 'empty-language-client-'));
  try {
    await buildEmptyClient(emptyClient);
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const ours = await measure(root, path.join('dist', 'client.js'));
      const empty = await measure(emptyClient, 'extension.js');
      rounds.push({ ours, empty });
    }
    printRounds(rounds);
  } finally {
    await rm(emptyClient, { recursive: true, force: true });
  }
  return 0;
});
