import type { Node } from 'jsonc-parser';
import { SNIFFED_BYTES } from '../../../shared/manifest/candidate';
import { drained } from '../../platform/sliced-work';
import type { TextRange } from '../diagnostic';
import type { EarlierReading } from './earlier-reading';
import { type JsonError, recoveringReading } from './recovering-tree';
import { strictReading } from './strict-tree';
import { DEEPEST_NESTING, isTooLong, MOST_VALUES, type TextLimit, textLimit } from './text-limits';

/** One property of an object; without `value` while it is being typed. */
export interface Field {
  readonly name: string;
  readonly key: Node;
  readonly value: Node | undefined;
}

/** A parsed manifest text. All offsets are UTF-16 offsets into `text`. */
export interface ManifestDocument {
  readonly text: string;
  /**
   * What could be read of the text; undefined when that is nothing. With a `limit`, only its beginning was read:
   * enough to recognise the document, not to judge it.
   */
  readonly root: Node | undefined;
  /** The text exceeds what we read. */
  readonly limit: TextLimit | undefined;
  /** The first violation of strict JSON; those behind it are mostly its consequences. */
  readonly syntaxError: JsonError | undefined;
  /** What a later version can be read by; of a text that nothing is sure of, what is left of the one before. */
  readonly reusable: EarlierReading | undefined;
  /** Fields of an object by name, the last of equal names as in `JSON.parse`; empty for other nodes. */
  fieldsOf(node: Node): ReadonlyMap<string, Field>;
  /** The node at a path; undefined when there is none. Costs one look-up a segment. */
  nodeAt(path: readonly PropertyKey[]): Node | undefined;
}

/** Reads a text as strict JSON, as far as it goes. Never throws and never reads more than the limits allow. */
export function parseManifestText(text: string): ManifestDocument {
  return drained(parsing(text));
}

/**
 * As {@link parseManifestText}, but pauses often, and reads what changed since an earlier version only.
 * @param earlier must not be used any more once there is a result: what did not change becomes a part of that. While
 *   there is none, it is as it was
 */
export function* parsing(text: string, earlier?: ManifestDocument): Generator<undefined, ManifestDocument> {
  const readable = readableText(text);
  const strict = isTooLong(text) ? undefined : yield* strictReading(readable, TREE_LIMITS, earlier?.reusable);
  if (strict) {
    const reusable = { text: readable, root: strict, broken: NONE_BROKEN };
    return documentOf(text, { root: strict, limit: undefined, syntaxError: undefined }, reusable);
  }
  yield;
  const limit = textLimit(text);
  yield;
  if (limit) {
    const { root, syntaxError } = yield* recoveringReading(readableText(beginningOf(text)));
    return documentOf(text, { root, limit, syntaxError }, earlier?.reusable);
  }
  const { root, syntaxError, reusable } = yield* recoveringReading(readable, earlier?.reusable);
  return documentOf(text, { root, limit, syntaxError }, reusable);
}

const NONE_BROKEN: ReadonlySet<Node> = new Set();

type Reading = Pick<ManifestDocument, 'root' | 'limit' | 'syntaxError'>;

function documentOf(text: string, reading: Reading, reusable: EarlierReading | undefined): ManifestDocument {
  const fields = new FieldIndex();
  return {
    text,
    ...reading,
    reusable,
    fieldsOf: (node) => fields.of(node),
    nodeAt: (path) => nodeAt(reading.root, path, fields)
  };
}

const TREE_LIMITS = { depth: DEEPEST_NESTING, values: MOST_VALUES };

/**
 * The value of a node as `JSON.parse` would make it: a field named `__proto__` is a field like any other. Fields
 * without a value are left out. Recursion ends at the nesting that documents are limited to.
 * @param leftOut a value whose field is left out
 */
export function valueOf(node: Node, leftOut?: Node): unknown {
  const { children = [] } = node;
  if (node.type === 'array') return children.map((item) => valueOf(item, leftOut));
  if (node.type !== 'object') return scalarOf(node);
  const object: Record<string, unknown> = {};
  forEachField(node, ({ name, value }) => {
    if (!value || value === leftOut) return;
    if (name !== '__proto__') object[name] = valueOf(value, leftOut);
    else Object.defineProperty(object, name, { value: valueOf(value, leftOut), enumerable: true, configurable: true });
  });
  return object;
}

/** The text of a string node; undefined for every other node. */
export function stringOf(node: Node | undefined): string | undefined {
  const value = node?.type === 'string' ? scalarOf(node) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Visits the fields of an object in document order, equal names included; does nothing for other nodes. */
export function forEachField(node: Node, visit: (field: Field) => void): void {
  if (node.type !== 'object' || !node.children) return;
  for (const { children } of node.children) {
    const key = children?.[0];
    const name = stringOf(key);
    if (key && name !== undefined) visit({ name, key, value: children?.[1] });
  }
}

/** The range of a node that was read to its end, for scalars and keys. */
export function rangeOf(node: Node): TextRange {
  return { start: node.offset, end: node.offset + node.length };
}

/** Offset behind a node's last unit; an object or array that was cut off ends with the text. */
export function endOf(node: Node, text: string): number {
  return node.length < 0 ? text.length : Math.min(node.offset + node.length, text.length);
}

/** The name map of every object that was asked for: a search per look-up would be quadratic in large manifests. */
class FieldIndex {
  private readonly maps = new Map<Node, ReadonlyMap<string, Field>>();

  of(node: Node): ReadonlyMap<string, Field> {
    const known = this.maps.get(node);
    if (known) return known;
    const map = new Map<string, Field>();
    forEachField(node, (field) => map.set(field.name, field));
    this.maps.set(node, map);
    return map;
  }
}

function nodeAt(root: Node | undefined, path: readonly PropertyKey[], fields: FieldIndex): Node | undefined {
  let node = root;
  for (const segment of path) {
    if (!node) return undefined;
    if (typeof segment === 'number') node = node.type === 'array' ? node.children?.[segment] : undefined;
    else node = fields.of(node).get(String(segment))?.value;
  }
  return node;
}

function scalarOf(node: Node): unknown {
  return node.value;
}

/**
 * The text as JSON readers take it. Editors and other tools on Windows write a byte order mark; a space in its place
 * keeps all offsets.
 */
export function readableText(text: string): string {
  return text.startsWith('\ufeff') ? ` ${text.slice(1)}` : text;
}

/** As much of the beginning as can be parsed whatever it holds. */
function beginningOf(text: string): string {
  const beginning = text.slice(0, SNIFFED_BYTES);
  const limit = textLimit(beginning);
  return limit ? beginning.slice(0, limit.start) : beginning;
}
