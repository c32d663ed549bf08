import type { Node } from 'jsonc-parser';
import type { TextRange } from '../diagnostic';
import { fileEntries } from '../files';
import { type Dialect, FILE_NAME_FIELDS } from '../recognition/dialect';
import { endOf, forEachField, type ManifestDocument, rangeOf, stringOf } from '../text/document';

/** One entry of a manifest's outline. */
export interface OutlineEntry {
  readonly name: string;
  readonly detail: string;
  readonly kind: 'model' | 'file' | 'setting';
  readonly range: TextRange;
  /** What is selected when somebody goes there. */
  readonly selection: TextRange;
  readonly children: readonly OutlineEntry[];
}

/** The model with its files and defaults, as people speak of them. */
export function outlineOf(document: ManifestDocument, dialect: Dialect): OutlineEntry[] {
  const { root, text } = document;
  if (!root || document.limit) return [];
  const files = fileEntries(document).map((entry, index) => fileEntry(document, dialect, entry, index));
  const children = [...files, ...defaultsOf(document)];
  const nameNode = document.nodeAt(['name']);
  const name = stringOf(nameNode);
  if (!nameNode || !name) return children;
  const range = { start: root.offset, end: endOf(root, text) };
  const task = stringOf(document.nodeAt(['task'])) ?? '';
  return [{ name, detail: task, kind: 'model', range, selection: rangeOf(nameNode), children }];
}

/** The ranges that can be folded away: every object and list that spans lines. */
export function foldsOf(document: ManifestDocument): TextRange[] {
  const folds: TextRange[] = [];
  const visit = (node: Node): void => {
    if (node.type === 'object' || node.type === 'array') {
      const range = { start: node.offset, end: endOf(node, document.text) };
      if (/[\r\n]/.test(document.text.slice(range.start, range.end))) folds.push(range);
    }
    node.children?.forEach(visit);
  };
  if (document.root && !document.limit) visit(document.root);
  return folds;
}

function fileEntry(document: ManifestDocument, dialect: Dialect, entry: Node, index: number): OutlineEntry {
  const fields = document.fieldsOf(entry);
  const nameNode = fields.get(FILE_NAME_FIELDS[dialect])?.value;
  const range = { start: entry.offset, end: endOf(entry, document.text) };
  return {
    name: stringOf(nameNode) || `file ${index + 1}`,
    detail: stringOf(fields.get('role')?.value) ?? '',
    kind: 'file',
    range,
    selection: nameNode ? rangeOf(nameNode) : { start: range.start, end: range.start + 1 },
    children: []
  };
}

function defaultsOf(document: ManifestDocument): OutlineEntry[] {
  const defaults = document.nodeAt(['defaults']);
  const children: OutlineEntry[] = [];
  if (!defaults) return children;
  forEachField(defaults, ({ name, key, value }) => {
    const end = value ? endOf(value, document.text) : key.offset + key.length;
    const detail = value ? document.text.slice(value.offset, end).slice(0, 40) : '';
    const range = { start: key.offset, end };
    children.push({ name, detail, kind: 'setting', range, selection: rangeOf(key), children: [] });
  });
  const range = { start: defaults.offset, end: endOf(defaults, document.text) };
  const selection = { start: defaults.offset, end: defaults.offset + 1 };
  return [{ name: 'defaults', detail: '', kind: 'setting', range, selection, children }];
}
