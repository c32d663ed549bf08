// `npm test`: runs every suite and sums up on the last line. `npm test -- --unit` runs the first one only.

import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageExtension } from './package.mjs';
import { packageScript, root, runVisibly } from './processes.mjs';
import { ensureBrowser, ensureBuild, ensureDependencies, runMain, SetupError } from './setup.mjs';

/** The VS Code versions whose workbench the extension is tested in. */
const VSCODE_VERSIONS = ['1.100'];

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} config of vitest
 * @property {Record<string, string>} [env]
 */

/** @type {Suite} */
const UNIT = { name: 'unit and server', config: 'vitest.config.mts' };

/**
 * The workbench suite, once for each version. Its tests find the packed extension and the version in the environment.
 * @param {string} vsix
 * @returns {Suite[]}
 */
const workbenchSuites = (vsix) =>
  VSCODE_VERSIONS.map((version) => ({
    name: `workbench of VS Code ${version}`,
    config: 'vitest.workbench.config.mts',
    env: { DIFFUSION_DOCK_VSIX: vsix, DIFFUSION_DOCK_VSCODE_VERSION: version }
  }));

/**
 * Runs a suite to its end.
 * @param {Suite} suite
 * @returns {{ passed: number, failed: number, skipped: number }} a suite that broke or ran nothing has a failure
 */
function runSuite({ name, config, env }) {
  console.log(`\n── ${name}`);
  const report = path.join(root, '.cache', 'test-reports', `${name.replaceAll(/\W+/g, '-')}.json`);
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = [packageScript('vitest/vitest.mjs'), 'run', '--config', config, ...reporters];
  const status = runVisibly(process.execPath, args, { env: { ...process.env, ...env } });
  const counts = readCounts(report);
  if (counts.passed + counts.failed + counts.skipped === 0) console.log(`${name}: ran no test`);
  const broke = status !== 0 || counts.passed === 0;
  return broke && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(report) {
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return { passed: 0, failed: 0, skipped: 0 };
    throw error;
  }
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests,
    skipped: results.numPendingTests + results.numTodoTests
  };
}

/** Installs the VS Code servers that are missing. */
function ensureVscode() {
  const install = path.join(root, 'test', 'support', 'vscode', 'install.mjs');
  const versions = VSCODE_VERSIONS.flatMap((version) => ['--version', version]);
  if (runVisibly(process.execPath, [install, ...versions]) !== 0)
    throw new SetupError('VS Code could not be installed.');
}

/** Makes the machine ready for the suites that are to run. */
async function prepareSuites(unitOnly) {
  ensureDependencies();
  if (unitOnly) {
    await ensureBuild();
    return [UNIT];
  }
  ensureBrowser();
  ensureVscode();
  const { vsix } = await packageExtension();
  return [UNIT, ...workbenchSuites(vsix)];
}

await runMain(async () => {
  const { values: flags } = parseArgs({ options: { unit: { type: 'boolean', default: false } } });
  const suites = await prepareSuites(flags.unit);
  const results = suites.map(runSuite);
  const sum = (key) => results.reduce((total, counts) => total + counts[key], 0);
  const skipped = sum('skipped');
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped ? `, ${skipped} skipped` : ''}`);
  return sum('failed') === 0 ? 0 : 1;
});
