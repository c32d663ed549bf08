import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log, Result, Run } from 'sarif';
import { expect, it } from 'vitest';
import { runCli } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';

/** What SARIF 2.1.0 requires of the parts that we write; each gives the places where it does not hold. */
const REQUIRED: Readonly<Record<string, (log: Log, run: Run) => unknown[]>> = {
  'a log has “version”, which is “2.1.0”, and “runs”': ({ version, runs }) =>
    version === '2.1.0' && Array.isArray(runs) ? [] : [version],
  'a run has a tool, whose driver has a name': (_, { tool }) => (isText(tool?.driver?.name) ? [] : [tool]),
  'a rule has an id, and no two have the same': (_, { tool: { driver } }) => {
    const ids = (driver.rules ?? []).map(({ id }) => id);
    return ids.filter((id, index) => !isText(id) || ids.indexOf(id) !== index);
  },
  'the unit of columns is one of two': (_, { columnKind }) =>
    columnKind === 'utf16CodeUnits' || columnKind === 'unicodeCodePoints' ? [] : [columnKind],
  'a result has a message with a text': (_, { results }) => wrongOf(results, ({ message }) => isText(message?.text)),
  'a level is one of four': (_, { results }) =>
    wrongOf(results, ({ level }) => ['none', 'note', 'warning', 'error'].includes(level ?? '')),
  'the index of a rule leads to the rule that is named': (_, { results, tool: { driver } }) =>
    wrongOf(results, ({ ruleId, ruleIndex }) => isText(ruleId) && driver.rules?.[ruleIndex ?? -1]?.id === ruleId),
  'a location has a file': (_, run) =>
    wrongOf(run.results, (result) => places(result).every(({ artifactLocation }) => isText(artifactLocation?.uri))),
  'the address of a file is relative, valid, and has a base that is told': (_, run) =>
    wrongOf(run.results, (result) =>
      places(result).every(({ artifactLocation: { uri = '', uriBaseId = '' } = {} }) => {
        const isRelative = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=@/]|%[0-9A-F]{2})+$/.test(uri) && !/^[/.]/.test(uri);
        return isRelative && Object.hasOwn(run.originalUriBaseIds ?? {}, uriBaseId);
      })
    ),
  'a base without address is described': (_, { originalUriBaseIds }) =>
    Object.values(originalUriBaseIds ?? {}).filter(({ uri, description }) => !isText(uri ?? description?.text)),
  'lines and columns count from one, and an end is not before its beginning': (_, { results }) =>
    wrongOf(results, (result) =>
      places(result).every(({ region }) => {
        const { startLine = 0, startColumn = 0, endLine = 0, endColumn = 0 } = region ?? {};
        const areCounted = [startLine, startColumn, endLine, endColumn].every(
          (value) => Number.isInteger(value) && value > 0
        );
        return areCounted && (endLine > startLine || (endLine === startLine && endColumn >= startColumn));
      })
    )
};

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function wrongOf(results: readonly Result[] | undefined, isRight: (result: Result) => boolean): Result[] {
  return (results ?? []).filter((result) => !isRight(result));
}

function places({ locations }: Result) {
  return (locations ?? []).map(({ physicalLocation = {} }) => physicalLocation);
}

it('gives a log that has all that SARIF 2.1.0 requires', async () => {
  const folder = await temporaryFolder();
  const names = ['plain', 'with spaces', 'a#b%20c', 'ünï 😀', "quote'"];
  for (const [index, name] of names.entries()) {
    await mkdir(join(folder, name));
    const files = [
      { role: 'unet', url: 'hf:o/r@main/a.gguf', filename: '../a.gguf', size_bytes: -1 },
      { role: 'vae', url: 'http://example.com/v.ckpt', filename: 'v😀.ckpt' }
    ];
    const text = JSON.stringify({ name: `m ${index}`, files }, null, index);
    await writeFile(join(folder, name, 'manifest.json'), index === 1 ? text.slice(0, -1) : text);
  }
  const { out } = await runCli(['validate', '--format', 'sarif'], { home: folder, folder });
  const log = JSON.parse(out) as Log;
  const [run] = log.runs;
  expect(run?.results?.length).toBeGreaterThan(20);
  for (const [rule, exceptions] of Object.entries(REQUIRED)) expect(exceptions(log, run!), rule).toEqual([]);
});
