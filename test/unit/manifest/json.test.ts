import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../server/manifest/diagnostics';
import { parseManifestText, valueOf } from '../../../server/manifest/text/document';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import { expectRow, expectRows, sourceFile, sourceWith, sourceWithFile } from './marked';

describe('syntax', () => {
  it.each([
    ['a comma too many', '{ "name": "tiny",«}»'],
    ['a comment', '{ «// why»\n"name": "tiny", "files": [] }'],
    ['a missing comma', '{ "name": "tiny" «"files"»: [] }'],
    ['an unquoted name', '{ «name»: "tiny" }'],
    ['a text without its closing quote', '{ "name": «"tiny »\n}'],
    ['a text behind the end', `${sourceWith({})} «x»`],
    ['a missing value', '{ "name": «}»'],
    ['a bad escape', '{ "name": «"\\x"» }']
  ])('gives one row for %s, and none for its consequences', (_, text) => {
    expectRow(text, 'syntax');
  });

  it.each([
    ['', 'is empty'],
    [' \r\n', 'is empty'],
    ['{ "name": "tiny", "files": [{', 'ends too early'],
    ['\ufffd\ufffd{\0"\0', 'not UTF-8']
  ])('explains %j', (text, explanation) => {
    const rows = diagnose(parseManifestText(text), 'source', { reportSyntax: true });
    expect(rows.map(({ code }) => code)).toEqual(['syntax']);
    expect(rows[0]?.message).toContain(explanation);
  });

  it('still judges what stands before the mistake, and nothing behind it', () => {
    const before = sourceFile({ role: '«"vea"»' });
    const behind = sourceFile({ role: '"vea"' });
    expectRows(sourceWith({ files: `[${before}, «,» ${behind}]` }), ['unknown-role', 'syntax']);
  });

  it('leaves syntax and keys written twice to a host that reports them', () => {
    const reportSyntax = false;
    const twice = parseManifestText(sourceWithFile({ role: '"vea",\n"role": "vae"' }));
    expect(diagnose(twice, 'source', { reportSyntax }).map(({ code }) => code)).toEqual(['missing-digest']);
    const broken = parseManifestText(sourceWithFile({ role: '"vea"' }).slice(0, -1));
    expect(diagnose(broken, 'source', { reportSyntax })[0]?.code).toBe('unknown-role');
  });
});

describe('what JSON readers change silently', () => {
  it('gives one row, at the second, for a key written twice', () => {
    const row = expectRow(sourceWithFile({ sha256: undefined, role: '"vea",\n«"role"»: "vae"' }), 'duplicate-key');
    expect(row.related).toHaveLength(1);
  });

  it('gives a row for each repetition', () => {
    expectRows(sourceWith({ a: '1, «"a"»: 2, «"a"»: 3' }), ['duplicate-key', 'duplicate-key']);
  });

  it.each(['1e400', '-1e400', '9007199254740993', '18446744073709551616'])('gives one row for %s', (number) => {
    expectRow(sourceWithFile({ size_bytes: `«${number}»` }), 'inexact-number');
    expectRow(sourceWith({ note: `«${number}»` }), 'inexact-number');
  });

  it.each(['-1', '1.5', '1e300', '"7"', 'null'])('gives one row for the size %s', (size) => {
    expectRow(sourceWithFile({ size_bytes: `«${size}»` }), 'schema');
  });
});

describe('limits', () => {
  it('gives one row for a text that is too large', () => {
    expectOneRow(sourceWith({ note: `"${'x'.repeat(8 * 1024 * 1024)}"` }), 'too-large');
  });

  it('counts bytes, not characters', () => {
    expectOneRow(sourceWith({ note: `"${'ä'.repeat(5 * 1024 * 1024)}"` }), 'too-large');
  });

  it('gives one row for a text with too many values', () => {
    expectOneRow(sourceWith({ note: `[${'1,'.repeat(400_000)}1]` }), 'too-large');
  });

  it.each(['[', '{"a":', '[{"a":', '{],"a":{', '[{],[', '/*"*/[', '//"\n['])(
    'gives one row for 100,000 times %j, without overflowing the stack',
    (unit) => {
      expectOneRow(unit.repeat(100_000), 'too-deep');
    }
  );

  it('takes 64 levels and shows the bracket that opens the 65th', () => {
    expect(diagnose(parseManifestText(levels(64)), 'source', { reportSyntax: true })).toMatchObject([
      { code: 'schema' },
      { code: 'schema' }
    ]);
    expect(diagnose(parseManifestText(levels(65)), 'source', { reportSyntax: true })).toMatchObject([
      { code: 'too-deep', start: 10 + 63, end: 10 + 64 }
    ]);
  });

  it('does not take brackets in texts for nesting', () => {
    expect(parseManifestText(sourceWith({ note: JSON.stringify('\\"[{'.repeat(100)) })).limit).toBeUndefined();
  });

  it('gives one row for one file too many, at that file', () => {
    const files = Array.from({ length: MOST_FILES }, () => '{}').join();
    expectRow(sourceWith({ files: `[${files},«{»}]` }), 'too-many-files');
  });
});

describe('values', () => {
  it('are those of JSON.parse, a field named __proto__ included', () => {
    const text = '{ "__proto__": { "polluted": true }, "a": [1, "😀", null, true, { "b": 1, "b": 2 }] }';
    const { root } = parseManifestText(text);
    const value = valueOf(root!);
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value).not.toHaveProperty('polluted');
  });

  it('are those of JSON.parse when a field named __proto__ is written twice', () => {
    const { root } = parseManifestText('{ "__proto__": 1, "__proto__": { "a": 2 } }');
    expect(Object.entries(valueOf(root!) as object)).toEqual([['__proto__', { a: 2 }]]);
  });
});

/** An object in whose field lists are nested, `count` levels in all. */
function levels(count: number): string {
  return `{ "name": ${'['.repeat(count - 1)}${']'.repeat(count - 1)} }`;
}

function expectOneRow(text: string, code: string): void {
  const rows = diagnose(parseManifestText(text), 'source', { reportSyntax: true });
  expect(rows.map((row) => row.code)).toEqual([code]);
  expect(rows[0]!.end).toBeLessThanOrEqual(text.length);
}
