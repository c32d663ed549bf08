// What `npm test` knows of a suite when it is over: a reporter of vitest writes it down, for vitest's own report of this
// kind leaves out what went wrong outside of tests.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} SuiteReport
 * @property {number} passed tests
 * @property {string[]} failed names of tests, files and hooks, each with the first line of its failure on a line of its
 *   own; an error that nobody handled is one of them, and so is a test that did not come to its end
 * @property {string[]} skipped names of tests
 * @property {string[]} retried tests that passed only when they were tried again, each with its failure like `failed`
 * @property {Record<string, number>} slowest milliseconds of each file with its imports and hooks, the slowest first
 */

/**
 * Vitest makes one of these when it is started with this file as a reporter, and gives it the file to write to by
 * `--outputFile=FILE`.
 * @implements {import('vitest/reporters').Reporter}
 */
export default class SuiteReporter {
  onInit(vitest) {
    this.file = vitest.config.outputFile;
    this.root = vitest.config.root;
  }

  onTestRunEnd(modules, unhandledErrors) {
    mkdirSync(path.dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify(suiteReport(modules, unhandledErrors, this.root), null, 2));
  }
}

/**
 * What became of a suite. One that ended badly without a word, or ran nothing, has a failure of its own.
 * @param {{ name: string, status: number, file: string }} suite `status`: that vitest ended with; `file`: the report
 * @returns {SuiteReport}
 */
export function readSuiteReport({ name, status, file }) {
  const report = readReport(file) ?? { passed: 0, failed: [], skipped: [], retried: [], slowest: {} };
  if (report.failed.length > 0 || (status === 0 && report.passed > 0)) return report;
  return { ...report, failed: [`the suite ${name} ${status === 0 ? 'ran no test' : `ended with ${status}`}`] };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns {SuiteReport} */
function suiteReport(modules, unhandledErrors, folder) {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (wanted) => tests.filter((test) => test.result().state === wanted);
  const groups = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  return {
    passed: inState('passed').length,
    failed: [
      ...groups.flatMap((group) => group.errors().map((error) => failure(nameOf(group), error))),
      ...inState('failed').map((test) => failure(nameOf(test), test.result().errors[0])),
      ...inState('pending').map((test) => failure(nameOf(test), { message: 'did not come to its end' })),
      ...unhandledErrors.map((error) => failure(placeOf(error, folder), error))
    ],
    skipped: inState('skipped').map(nameOf),
    retried: tests
      .filter((test) => test.diagnostic()?.flaky)
      .map((test) => failure(nameOf(test), test.result().errors?.[0])),
    slowest: Object.fromEntries(modules.map(timed).toSorted(([, one], [, other]) => other - one))
  };
}

function nameOf(entity) {
  return entity.type === 'module' ? entity.relativeModuleId : `${entity.module.relativeModuleId}: ${entity.fullName}`;
}

/** Where an error was seen that nobody handled: vitest says what ran in that process, if it knows. */
function placeOf({ VITEST_TEST_PATH: file, VITEST_TEST_NAME: test }, folder) {
  const place = [file && path.relative(folder, file), test].filter(Boolean);
  return [...place, 'an error that nobody handled'].join(': ');
}

function failure(name, { name: kind, message, cause } = {}) {
  const [line] = String(message).split('\n', 1);
  return `${name}\n    ${kind ? `${kind}: ` : ''}${line}${cause?.message ? ` (${cause.message})` : ''}`;
}

function timed(module) {
  const { collectDuration, setupDuration, duration } = module.diagnostic();
  return [module.relativeModuleId, Math.round(collectDuration + setupDuration + duration)];
}
