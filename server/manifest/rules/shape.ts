import type { Node } from 'jsonc-parser';
import type * as z from 'zod';
import { isDiagnosticCode } from '../../../shared/manifest/diagnostic-codes';
import type { Report, TextRange } from '../diagnostic';
import { DIALECT_SCHEMAS } from '../recognition/dialect';
import { type Misspelling, misspellings } from '../recognition/misspellings';
import { endOf, type ManifestDocument, rangeOf, stringOf, valueOf } from '../text/document';
import type { Rule } from './rule';
import { excerpt, issueText, missingFieldsText, optionText } from './texts';

/** Fields that are missing, misspelled, of the wrong type or against a rule of the dialect's schema. */
export const shape: Rule = {
  whole({ document, dialect }, report) {
    const { root } = document;
    if (!root) return;
    const files = document.nodeAt(['files']);
    const entries = files?.type === 'array' ? files : undefined;
    const misspelled = misspellings(document, DIALECT_SCHEMAS[dialect], root, entries);
    // Entries are looked at one by one, so that of their list it counts only whether there are any.
    const { error } = entries?.children?.length
      ? SCHEMAS_WITHOUT_FILES[dialect].safeParse(valueOf(root, entries))
      : DIALECT_SCHEMAS[dialect].safeParse(valueOf(root));
    reportAll(document, { misspelled, issues: error?.issues ?? [] }, report);
  },
  entry({ document, dialect, entry, index }, report) {
    const { element } = DIALECT_SCHEMAS[dialect].shape.files;
    const misspelled = misspellings(document, element, entry);
    const issues = element.safeParse(valueOf(entry)).error?.issues ?? [];
    const placed = issues.map((issue) => ({ ...issue, path: ['files', index, ...issue.path] }));
    reportAll(document, { misspelled, issues: placed }, report);
  }
};

const SCHEMAS_WITHOUT_FILES = {
  source: DIALECT_SCHEMAS.source.omit({ files: true }),
  installed: DIALECT_SCHEMAS.installed.omit({ files: true }),
  artifact: DIALECT_SCHEMAS.artifact.omit({ files: true })
};

interface Mistakes {
  readonly misspelled: readonly Misspelling[];
  readonly issues: readonly z.core.$ZodIssue[];
}

function reportAll(document: ManifestDocument, { misspelled, issues }: Mistakes, report: Report): void {
  for (const misspelling of misspelled) reportMisspelling(document, misspelling, report);
  const missing = new Map<Node, string[]>();
  for (const issue of issues) {
    const node = document.nodeAt(issue.path);
    if (node) reportIssue(document, issue, node, report);
    else noteMissing(document, issue, missing);
  }
  reportMissing(document, missing, misspelled, report);
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
