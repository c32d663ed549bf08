import { expect } from 'vitest';
import type { ManifestDiagnostic } from '../../../server/manifest/diagnostic';
import { diagnose } from '../../../server/manifest/diagnostics';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { parseManifestText } from '../../../server/manifest/text/document';

export const DIGEST = '79cb0103935380d16ed0318fb5195f9a8cf9800fc18fcf7dc22f5dec737960e4';

/** Fields of an object as raw JSON, so that «marks» can stand in them; `undefined` leaves a field out. */
type RawFields = Readonly<Record<string, string | undefined>>;

/** A source manifest that is right but for the given fields of its only file. */
export function sourceWithFile(file: RawFields): string {
  return sourceWith({ files: `[${sourceFile(file)}]` });
}

/** A source manifest that is right but for the given fields. */
export function sourceWith(fields: RawFields): string {
  return rawObject({ name: '"tiny"', files: `[${sourceFile({})}]`, ...fields });
}

export function sourceFile(fields: RawFields): string {
  return rawObject({ role: '"model"', url: '"https://example.com/a.bin"', filename: '"a.bin"', ...fields });
}

/** An installed manifest that is right but for the given fields. */
export function installedWith(fields: RawFields): string {
  return rawObject({
    name: '"tiny"',
    source: '""',
    revision: '""',
    task: '""',
    engine: '"sd-cpp"',
    dimensions: '0',
    installed_at_unix_ms: '1767225600000',
    total_size_bytes: '7',
    files: `[${installedFile({})}]`,
    ...fields
  });
}

export function installedFile(fields: RawFields): string {
  return rawObject({ path: '"a.bin"', sha256: `"${DIGEST}"`, size_bytes: '7', ...fields });
}

function rawObject(fields: RawFields): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `{\n${pairs.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(',\n')}\n}`;
}

/** Checks that a text has exactly the given rows, one at each «mark», in order; returns them. */
export function expectRows(marked: string, codes: readonly string[], dialect: Dialect = 'source') {
  const text = marked.replaceAll(/[«»]/g, '');
  const all = diagnose(parseManifestText(text), dialect, { reportSyntax: true });
  // A suggestion is only expected where it is named: fixtures need not be beyond all advice.
  const rows = all.filter(({ severity, code }) => severity !== 'hint' || codes.includes(code));
  const marks = [...marked.matchAll(/«([^»]*)»/g)].map(([, inside]) => inside);
  expect(marks, 'one mark for each expected row').toHaveLength(codes.length);
  expect(rows.map(({ code, start, end }) => ({ code, at: text.slice(start, end) }))).toEqual(
    codes.map((code, index) => ({ code, at: marks[index] }))
  );
  expect(rows.map(({ start }) => start)).toEqual(startsOfMarks(marked));
  return rows;
}

/** Checks that a text has exactly one row, at its «mark», and returns it. */
export function expectRow(marked: string, code: string, dialect: Dialect = 'source'): ManifestDiagnostic {
  return expectRows(marked, [code], dialect)[0]!;
}

/** Checks that there is nothing to say about a text. */
export function expectSilence(text: string, dialect: Dialect = 'source'): void {
  expectRows(text, [], dialect);
}

function startsOfMarks(marked: string): number[] {
  return [...marked.matchAll(/«/g)].map(({ index }, nth) => index - 2 * nth);
}
