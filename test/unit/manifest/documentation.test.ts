import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../server/manifest/diagnostics';
import { recognise } from '../../../server/manifest/recognition/recognise';
import { parseManifestText } from '../../../server/manifest/text/document';
import { DIAGNOSTIC_CODES } from '../../../shared/manifest/diagnostic-codes';

const pages = new URL('../../../docs/diagnostics/', import.meta.url);

/** What is too large to be printed, or takes more than one text. */
const WITHOUT_EXAMPLE: ReadonlySet<string> = new Set([
  'too-large',
  'too-deep',
  'too-many-files',
  'duplicate-name',
  'wrong-role',
  'incomplete-model',
  'unfit-default',
  'missing-file',
  'size-differs',
  'digest-differs',
  'extra-file',
  'outdated',
  'not-on-hub',
  'hub-differs'
]);

describe('the documentation of diagnostics', () => {
  it('has one page for each code, and no other', () => {
    expect(readdirSync(pages).toSorted()).toEqual(DIAGNOSTIC_CODES.map((code) => `${code}.md`).toSorted());
  });

  it.each(DIAGNOSTIC_CODES)('begins the page of %s with the code and says what to do', (code) => {
    const page = readFileSync(new URL(`${code}.md`, pages), 'utf8');
    expect(page).toMatch(new RegExp(`^# ${code}\n`));
    expect(page).toContain('\n## What to do\n');
  });

  it.each(DIAGNOSTIC_CODES.filter((code) => !WITHOUT_EXAMPLE.has(code)))(
    'shows a wrong example of %s that gets just this row, and a right one that gets none',
    (code) => {
      expect(codesOf(example(code, 'Wrong'), code)).toEqual([code]);
      expect(codesOf(example(code, 'Right'), code)).toEqual([]);
    }
  );
});

function example(code: string, heading: string): string {
  const page = readFileSync(new URL(`${code}.md`, pages), 'utf8');
  const [, text] = new RegExp(`## ${heading}\n\n\`\`\`json\n([^]*?)\`\`\``).exec(page) ?? [];
  expect(text, `${code}: ${heading}`).toBeDefined();
  return text!;
}

/** The codes of a text's rows; of suggestions only the given one, for an example need not be beyond all advice. */
function codesOf(text: string, suggestion: string): string[] {
  const document = parseManifestText(text);
  const dialect = recognise(document, {
    path: 'manifest.json',
    liesInCacheRoot: false,
    matchesInclude: false,
    previous: undefined
  });
  expect(dialect, 'the example is recognised').toBeDefined();
  const rows = diagnose(document, dialect!, { reportSyntax: true });
  return rows.flatMap(({ code, severity }) => (severity === 'hint' && code !== suggestion ? [] : [code]));
}
