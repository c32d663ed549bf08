import type { Node } from 'jsonc-parser';
import * as z from 'zod';
import { isDiagnosticCode } from '../../../shared/manifest/diagnostic-codes';
import type { Report, TextRange } from '../diagnostic';
import { DIALECT_SCHEMAS, type Dialect } from '../dialect';
import { endOf, type ManifestDocument, rangeOf, stringOf, valueOf } from '../document';
import { type Misspelling, misspellings } from '../misspellings';
import { excerpt, issueText, missingFieldsText, optionText } from './texts';

/**
 * Fields that are missing, misspelled, of the wrong type or against a rule of the dialect's schema. Pauses between
 * entries.
 */
export function* checkShape(document: ManifestDocument, dialect: Dialect, report: Report): Generator<undefined> {
  const { root } = document;
  if (!root) return;
  const schema = DIALECT_SCHEMAS[dialect];
  const misspelled = misspellings(document, schema);
  for (const misspelling of misspelled) reportMisspelling(document, misspelling, report);
  yield;
  const issues = yield* issuesOf(schema, valueOf(root));
  const missing = new Map<Node, string[]>();
  for (const [index, issue] of issues.entries()) {
    if (index % ENTRIES === ENTRIES - 1) yield;
    const node = document.nodeAt(issue.path);
    if (node) reportIssue(document, issue, node, report);
    else noteMissing(document, issue, missing);
  }
  reportMissing(document, missing, misspelled, report);
}

/** How many entries, and how many of the schema's issues, are dealt with at once. */
const ENTRIES = 500;

/** What the schema has to say about a manifest; a long list of files is read in parts. */
function* issuesOf(schema: z.ZodType, manifest: unknown): Generator<undefined, z.core.$ZodIssue[]> {
  const files = isRecord(manifest) ? manifest['files'] : undefined;
  if (!isRecord(manifest) || !Array.isArray(files) || files.length <= ENTRIES) {
    return schema.safeParse(manifest).error?.issues ?? [];
  }
  const issues: z.core.$ZodIssue[] = [];
  for (let first = 0; first < files.length; first += ENTRIES) {
    const part = { ...manifest, files: files.slice(first, first + ENTRIES) };
    for (const issue of schema.safeParse(part).error?.issues ?? []) {
      const [field, index, ...inner] = issue.path;
      if (field === 'files' && typeof index === 'number') {
        issues.push({ ...issue, path: [field, first + index, ...inner] });
      } else if (first === 0) issues.push(issue);
    }
    yield;
  }
  return issues;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reportMisspelling(document: ManifestDocument, misspelling: Misspelling, report: Report): void {
  const { object, field, meant, required } = misspelling;
  report({
    code: 'unknown-field',
    severity: required ? 'error' : 'warning',
    message: `Nothing reads “${excerpt(field.name)}”; did you mean “${meant}”?`,
    ...rangeOf(field.key),
    judgedUntil: endOf(object, document.text)
  });
}

/** A value is judged once all of it was read; a list or object is shown at its name, for its range may be pages long. */
function reportIssue(document: ManifestDocument, issue: z.core.$ZodIssue, node: Node, report: Report): void {
  const range = anchorOf(node);
  const judgedUntil = endOf(node, document.text);
  const text = stringOf(node);
  if (issue.code === 'custom') {
    const code = isDiagnosticCode(issue.params?.['code']) ? issue.params['code'] : 'schema';
    report({ code, message: issue.message, ...range, judgedUntil });
  } else if (issue.code === 'invalid_value' && text !== undefined) {
    const code = issue.path.at(-1) === 'role' ? 'unknown-role' : 'unknown-value';
    report({ code, message: optionText(issue, text), ...range, judgedUntil });
  } else {
    report({ code: 'schema', message: issueText(issue, node.type), ...range, judgedUntil });
  }
}

/** Collects absent fields by object. A field that has its name but no value yet is a matter of syntax. */
function noteMissing(document: ManifestDocument, issue: z.core.$ZodIssue, missing: Map<Node, string[]>): void {
  const object = document.nodeAt(issue.path.slice(0, -1));
  const name = String(issue.path.at(-1));
  if (!object || document.fieldsOf(object).has(name)) return;
  missing.set(object, [...(missing.get(object) ?? []), name]);
}

function reportMissing(
  document: ManifestDocument,
  missing: ReadonlyMap<Node, readonly string[]>,
  misspelled: readonly Misspelling[],
  report: Report
): void {
  const accounted = new Map<Node, Set<string>>();
  for (const { object, meant } of misspelled) {
    accounted.set(object, (accounted.get(object) ?? new Set()).add(meant));
  }
  for (const [object, names] of missing) {
    const absent = names.filter((name) => !accounted.get(object)?.has(name));
    if (absent.length === 0) continue;
    const message = missingFieldsText(absent);
    report({ code: 'schema', message, ...anchorOf(object), judgedUntil: endOf(object, document.text) });
  }
}

function anchorOf(node: Node): TextRange {
  if (node.type !== 'object' && node.type !== 'array') return rangeOf(node);
  const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
  return key ? rangeOf(key) : { start: node.offset, end: node.offset + 1 };
}
