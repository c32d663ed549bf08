import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Ajv from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import type { Log, Result, Run } from 'sarif';
import { expect, it } from 'vitest';
import { runCli } from '../../support/run-cli';
import { temporaryFolder } from '../../support/temporary-folder';

const SCHEMA = join(import.meta.dirname, '../../fixtures/sarif/sarif-2.1.0-rtm.5.json');

/** What SARIF 2.1.0 requires beyond its schema of the parts that we write; each gives the places where it does not hold. */
const BEYOND_SCHEMA: Readonly<Record<string, (run: Run) => unknown[]>> = {
  'no two rules have the same id': ({ tool: { driver } }) => {
    const ids = (driver.rules ?? []).map(({ id }) => id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
  },
  'the index of a rule leads to the rule that is named': ({ results, tool: { driver } }) =>
    wrongOf(results, ({ ruleId, ruleIndex }) => ruleId !== undefined && driver.rules?.[ruleIndex ?? -1]?.id === ruleId),
  'the address of a file is relative, and has a base that is told': ({ results, originalUriBaseIds }) =>
    wrongOf(results, (result) =>
      places(result).every(({ artifactLocation: { uri = '', uriBaseId = '' } = {} }) => {
        const isRelative = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=@/]|%[0-9A-F]{2})+$/.test(uri) && !/^[/.]/.test(uri);
        return isRelative && Object.hasOwn(originalUriBaseIds ?? {}, uriBaseId);
      })
    ),
  'a base without address is described': ({ originalUriBaseIds }) =>
    Object.values(originalUriBaseIds ?? {}).filter(({ uri, description }) => !(uri ?? description?.text)),
  'an end is not before its beginning': ({ results }) =>
    wrongOf(results, (result) =>
      places(result).every(({ region }) => {
        const { startLine = 0, startColumn = 0, endLine = 0, endColumn = 0 } = region ?? {};
        return endLine > startLine || (endLine === startLine && endColumn >= startColumn);
      })
    )
};

function wrongOf(results: readonly Result[] | undefined, isRight: (result: Result) => boolean): Result[] {
  return (results ?? []).filter((result) => !isRight(result));
}

function places({ locations }: Result) {
  return (locations ?? []).map(({ physicalLocation = {} }) => physicalLocation);
}

/** The schema's patterns are not all valid as Unicode patterns, so they are read as plain ones. */
async function schemaErrors(log: unknown): Promise<unknown> {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats(ajv);
  const isValid = ajv.compile(JSON.parse(await readFile(SCHEMA, 'utf8')));
  isValid(log);
  return isValid.errors;
}

it('gives a log that the schema of SARIF 2.1.0 accepts, and that has what it requires beyond', async () => {
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
  expect(await schemaErrors(log)).toBeNull();
  const [run] = log.runs;
  expect(run?.results?.length).toBeGreaterThan(20);
  for (const [rule, exceptions] of Object.entries(BEYOND_SCHEMA)) expect(exceptions(run!), rule).toEqual([]);
});

it('gives a log that the schema accepts when there is nothing to find', async () => {
  const folder = await temporaryFolder();
  const { out } = await runCli(['validate', '--format', 'sarif'], { home: folder, folder });
  expect(await schemaErrors(JSON.parse(out))).toBeNull();
});
