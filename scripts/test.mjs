// `npm test`: runs every suite, names what failed, and sums up on the last line. `npm test -- --unit` runs the first one only. Tests that
// lack a system program are skipped and named; with DIFFUSION_DOCK_TEST_ALL in the environment that is a failure.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageExtension } from './package.mjs';
import { packageScript, root, runVisibly } from './processes.mjs';
import { ensureBrowser, ensureBuild, ensureDependencies, ensureVscode, runMain } from './setup.mjs';
import { readSuiteReport } from './suite-report.mjs';

/**
 * The VS Code versions whose workbench the extension is tested in, and which of the tests run there: all of them in the
 * newest, and in the oldest those that meet most of its interface, for every window takes its time to start.
 * @type {Record<string, string[]>}
 */
const WORKBENCHES = {
  '1.100': ['extension-host', 'first-image', 'editing', 'trust'],
  1.139: []
};
const VSCODE_VERSIONS = Object.keys(WORKBENCHES);

/** Writes down what becomes of a suite. */
const REPORTER = path.join(root, 'scripts', 'suite-report.mjs');

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} config of vitest
 * @property {string[]} [args] of vitest
 * @property {Record<string, string>} [env]
 */

/** @type {Suite} */
const UNIT = { name: 'unit and server', config: 'vitest.config.mts' };

/**
 * Pulls that are killed, meet errors of the disk, run side by side and have their clocks set.
 * @type {Suite}
 */
const FAULTS = { name: 'faults', config: 'vitest.faults.config.mts' };

/** The test of the command that opens one version of VS Code itself. */
const START_TEST = 'test/workbench/ui/start.test.ts';

/** @type {Suite} */
const START = { name: 'npm start', config: 'vitest.workbench.config.mts', args: [START_TEST] };

/**
 * The workbench suites. Their tests find the packed extension and the version in the environment.
 * @param {string} vsix
 * @returns {Suite[]}
 */
const workbenchSuites = (vsix) =>
  VSCODE_VERSIONS.map((version) => ({
    name: `workbench of VS Code ${version}`,
    config: 'vitest.workbench.config.mts',
    args: [...WORKBENCHES[version], '--exclude', START_TEST],
    env: { DIFFUSION_DOCK_VSIX: vsix, DIFFUSION_DOCK_VSCODE_VERSION: version }
  }));

/**
 * Runs a suite to its end.
 * @param {Suite} suite
 */
function runSuite({ name, config, args = [], env }) {
  console.log(`\n── ${name}`);
  const file = path.join(root, '.cache', 'test-reports', `${name.replaceAll(/\W+/g, '-')}.json`);
  rmSync(file, { force: true });
  const reporters = ['--reporter=default', `--reporter=${REPORTER}`, `--outputFile=${file}`];
  const vitest = [packageScript('vitest/vitest.mjs'), 'run', '--config', config, ...args, ...reporters];
  const started = performance.now();
  const status = runVisibly(process.execPath, vitest, { env: { ...process.env, ...env } });
  return { name, seconds: (performance.now() - started) / 1000, ...readSuiteReport({ name, status, file }) };
}

/** Makes the machine ready for the suites that are to run. */
async function prepareSuites(unitOnly) {
  ensureDependencies();
  if (unitOnly) {
    await ensureBuild();
    return [UNIT];
  }
  ensureBrowser();
  ensureVscode(VSCODE_VERSIONS);
  const { vsix } = await packageExtension();
  return [UNIT, FAULTS, ...workbenchSuites(vsix), START];
}

await runMain(async () => {
  const { values: flags } = parseArgs({ options: { unit: { type: 'boolean', default: false } } });
  const suites = await prepareSuites(flags.unit);
  const results = suites.map(runSuite);
  const [skipped, retried, failed] = ['skipped', 'retried', 'failed'].map((what) =>
    results.flatMap((one) => one[what])
  );
  printNames('skipped', skipped);
  printNames('passed only when tried again', retried);
  printNames('failed', failed);
  console.log('');
  for (const { name, seconds, passed } of results) console.log(`${name}: ${passed} passed in ${seconds.toFixed(0)} s`);
  const passed = results.reduce((total, one) => total + one.passed, 0);
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  console.log(`\n${passed} passed, ${failed.length} failed${skips}`);
  const mustRunAll = Boolean(process.env.DIFFUSION_DOCK_TEST_ALL);
  return failed.length === 0 && !(mustRunAll && skipped.length > 0) ? 0 : 1;
});

function printNames(what, names) {
  if (names.length > 0) console.log(`\n${what}:${names.map((name) => `\n  ${name}`).join('')}`);
}
