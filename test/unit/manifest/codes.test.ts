import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { ManifestDiagnostic } from '../../../server/manifest/diagnostic';
import { diagnose } from '../../../server/manifest/diagnostics';
import { fixesFor } from '../../../server/manifest/fixes/fixes';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { parseManifestText } from '../../../server/manifest/text/document';
import { DIAGNOSTIC_CODES } from '../../../shared/manifest/diagnostic-codes';
import { CODE_FIXTURES } from './code-fixtures';

function rowsOf(text: string, dialect: Dialect): readonly ManifestDiagnostic[] {
  return diagnose(parseManifestText(text), dialect, { reportSyntax: true });
}

function applied(text: string, edits: readonly { start: number; end: number; text: string }[]): string {
  const document = TextDocument.create('file:///m.json', 'json', 1, text);
  const textEdits = edits.map(({ start, end, text: newText }) => ({
    range: { start: document.positionAt(start), end: document.positionAt(end) },
    newText
  }));
  return TextDocument.applyEdits(document, textEdits);
}

/** The same text as other editors and tools write it. */
const SPELLINGS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'with CRLF': (text) => text.replaceAll('\n', '\r\n'),
  'in one line': (text) => text.replaceAll('\n', ' '),
  'behind a byte order mark': (text) => `\ufeff${text}`,
  'behind astral characters': (text) => text.replace('{', '{ "note": "😀𝔘",')
};

describe.each(DIAGNOSTIC_CODES)('the code %s', (code) => {
  const { wrong, nearMiss } = CODE_FIXTURES[code];

  it('is found where it is meant, and not where something only looks like it', async () => {
    expect(await wrong.codes()).toContain(code);
    expect(await nearMiss.codes()).not.toContain(code);
  });
});

/** Every finding with a fix in any fixture, in every spelling. */
const MENDED = Object.values(CODE_FIXTURES).flatMap(({ wrong: { text, dialect } }) =>
  text.length > 10_000
    ? []
    : Object.entries(SPELLINGS).flatMap(([spelling, spelled]) => {
        const written = spelled(text);
        const document = parseManifestText(written);
        return rowsOf(written, dialect).flatMap((row) =>
          fixesFor(document, dialect, row).map((fix) => ({
            row,
            fix,
            written,
            dialect,
            name: `${row.code} ${spelling}: ${fix.title}`
          }))
        );
      })
);

describe('a fix', () => {
  it('exists for many findings', () => {
    expect(new Set(MENDED.map(({ row }) => row.code)).size).toBeGreaterThan(12);
  });

  it.each(MENDED)('removes its finding and adds no error: $name', ({ row, fix, written, dialect }) => {
    const text = applied(written, fix.edits);
    const mended = rowsOf(text, dialect);
    const before = rowsOf(written, dialect);
    const ofCode = (rows: readonly ManifestDiagnostic[]): number => rows.filter(({ code }) => code === row.code).length;
    expect(ofCode(mended)).toBeLessThan(ofCode(before));
    const known = new Set(before.map(({ code, message }) => `${code}: ${message}`));
    const errors = mended.filter(({ severity }) => severity === 'error');
    // What only the person knows is left empty, to be filled in.
    const mistakes = errors.filter(({ start, end }) => text.slice(start, end) !== '""');
    expect(mistakes.map(({ code, message }) => `${code}: ${message}`).filter((error) => !known.has(error))).toEqual([]);
  });
});
