import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageScript, root, runQuietly } from '../../../scripts/processes.mjs';
import { readSuiteReport } from '../../../scripts/suite-report.mjs';

/** Test files of a suite in which everything goes wrong that can. */
const FILES = {
  'sound.test.js': `
    it('holds', () => {});
    describe('a group', () => {
      it('fails', () => { throw new RangeError('too far\\nand more about it'); });
      it.skip('is left out', () => {});
      let tries = 0;
      it('holds at last', { retry: 1 }, () => expect(++tries).toBe(2));
    });`,
  'unloadable.test.js': `throw new Error('cannot be loaded');`,
  'hook.test.js': `
    describe('a group', () => {
      beforeAll(() => { throw new Error('not ready'); });
      it('never runs', () => {});
    });`,
  'late.test.js': `it('leaves work behind', async () => {
    Promise.reject(new Error('nobody waits for this'));
    await new Promise((done) => setImmediate(done));
  });`,
  'deadly.test.js': `it('ends its process', () => new Promise(() => process.kill(process.pid, 'SIGKILL')));`
};

let folder: string;
let report: ReturnType<typeof readSuiteReport>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'suite-report-'));
  const suite = path.join(folder, 'suite');
  mkdirSync(suite);
  for (const [name, source] of Object.entries(FILES)) writeFileSync(path.join(suite, name), source);
  const file = path.join(folder, 'reports', 'report.json');
  report = readSuiteReport({ name: 'sample', status: await runSuite(suite, file), file });
});

afterAll(() => rmSync(folder, { recursive: true }));

async function runSuite(suite: string, file: string): Promise<number> {
  const reporter = path.join(root, 'scripts', 'suite-report.mjs');
  const args = ['run', '--root', suite, '--globals', '--pool=forks', `--reporter=${reporter}`, `--outputFile=${file}`];
  const { status } = await runQuietly(process.execPath, [packageScript('vitest/vitest.mjs'), ...args], {
    env: { PATH: process.env['PATH'] }
  });
  return status;
}

describe('the report of a suite', () => {
  it('names what failed, within tests and outside of them, with the first line of each failure', () => {
    expect(report.failed.toSorted()).toEqual([
      'an error that nobody handled\n    Error: [vitest-pool]: Worker forks emitted error. (Worker exited unexpectedly)',
      'deadly.test.js: ends its process\n    did not come to its end',
      'hook.test.js: a group\n    Error: not ready',
      'late.test.js: leaves work behind: an error that nobody handled\n    Error: nobody waits for this',
      'sound.test.js: a group > fails\n    RangeError: too far',
      'unloadable.test.js\n    Error: cannot be loaded'
    ]);
  });

  it('counts what passed, and names what was left out and what passed only when it was tried again', () => {
    expect(report.passed).toBe(3);
    expect(report.skipped.toSorted()).toEqual([
      'hook.test.js: a group > never runs',
      'sound.test.js: a group > is left out'
    ]);
    expect(report.retried).toEqual([
      expect.stringMatching(/^sound\.test\.js: a group > holds at last\n {4}AssertionError: /)
    ]);
  });

  it('says how long each file took, the slowest first', () => {
    const times = Object.values(report.slowest);
    expect(Object.keys(report.slowest).toSorted()).toEqual(Object.keys(FILES).toSorted());
    expect(times).toEqual(times.toSorted((one, other) => other - one));
  });

  it.each([
    ['ran nothing, though it ended well', 0, 'the suite empty ran no test'],
    ['ended before it could say anything', 137, 'the suite empty ended with 137']
  ])('has a failure of its own when the suite %s', (_, status, failure) => {
    const file = path.join(folder, 'no-report.json');
    expect(readSuiteReport({ name: 'empty', status, file }).failed).toEqual([failure]);
  });

  it('has a failure of its own when all tests passed and vitest failed', () => {
    const file = path.join(folder, 'green.json');
    writeFileSync(file, JSON.stringify({ ...report, failed: [] }));
    expect(readSuiteReport({ name: 'green', status: 1, file }).failed).toEqual(['the suite green ended with 1']);
  });
});
