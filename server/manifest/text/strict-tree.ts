import type { Node } from 'jsonc-parser';
import { drained } from '../../platform/sliced-work';
import { type EarlierReading, ReusableEntries, valuesIn, type WritableNode } from './earlier-reading';

/** What a tree may have at most. */
export interface TreeLimits {
  readonly depth: number;
  /** Commas and opening brackets count, and the root. */
  readonly values: number;
}

/**
 * Reads strict JSON in one pass, which takes a fraction of the time of a parser that recovers from errors.
 * @returns the tree as jsonc-parser's `parseTree` makes it; undefined when the text is no strict JSON or exceeds the
 *   limits, of which this says nothing more
 */
export function strictTree(text: string, limits: TreeLimits): Node | undefined {
  return drained(strictReading(text, limits));
}

/**
 * The same, with pauses between the items of long lists.
 * @param earlier a version of the text that was read before: entries that did not change are taken over from its tree,
 *   which must not be used any more once there is a new one
 */
export function* strictReading(
  text: string,
  limits: TreeLimits,
  earlier?: EarlierReading
): Generator<undefined, Node | undefined> {
  const reusable = earlier && new ReusableEntries(earlier, text);
  const root = yield* new StrictReader(text, limits, reusable).read();
  if (root) reusable?.adopt();
  return root;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const WORDS: ReadonlyMap<number, { readonly word: string; readonly value: boolean | null }> = new Map([
  [0x74, { word: 'true', value: true }],
  [0x66, { word: 'false', value: false }],
  [0x6e, { word: 'null', value: null }]
]);

/** So many items of a list are read between two pauses. */
const ITEMS = 256;

const NO_NODES: Node[] = [];

class StrictReader {
  private at = 0;
  private depth = 0;
  /** Children of what is being read: an array that grows has room for more than most objects have. */
  private readonly pending: Node[] = [];
  private values = 1;
  /** Every name of a field once: thousands of entries have the same few. */
  private readonly names = new Map<string, string>();
  /** The name that came last after each. */
  private readonly followers = new Map<string, string>();
  private lastName = '';

  constructor(
    private readonly text: string,
    private readonly limits: TreeLimits,
    private readonly reusable: ReusableEntries | undefined
  ) {}

  /** The root; pauses between the items of the lists that are its fields. */
  *read(): Generator<undefined, WritableNode | undefined> {
    const above: WritableNode = { type: 'array', offset: -1, length: -1 };
    const root = this.next() === OPEN_BRACE ? yield* this.fieldsOfRoot(above) : this.value(above);
    if (!root || !Number.isNaN(this.next())) return undefined;
    delete root.parent;
    return root;
  }

  private *fieldsOfRoot(parent: Node): Generator<undefined, WritableNode | undefined> {
    const node = this.open('object', parent);
    if (!node) return undefined;
    const before = this.pending.length;
    let goesOn = this.next() !== CLOSE_BRACE;
    while (goesOn) {
      const property = this.keyOf(node);
      if (!property) return undefined;
      const isList = this.next() === OPEN_BRACKET;
      const field = this.withValue(property, isList ? yield* this.items(property) : this.value(property));
      if (!field) return undefined;
      this.pending.push(field);
      const isNext = this.isNext(CLOSE_BRACE);
      if (isNext === undefined) return undefined;
      goesOn = isNext;
    }
    return this.close(node, before);
  }

  private *items(parent: Node): Generator<undefined, WritableNode | undefined> {
    const node = this.open('array', parent);
    if (!node) return undefined;
    const before = this.pending.length;
    let goesOn = this.next() !== CLOSE_BRACKET;
    while (goesOn) {
      const item = this.item(node);
      if (!item) return undefined;
      this.pending.push(item);
      const isNext = this.isNext(CLOSE_BRACKET);
      if (isNext === undefined) return undefined;
      goesOn = isNext;
      if ((this.pending.length - before) % ITEMS === 0) yield;
    }
    return this.close(node, before);
  }

  /** An item of a list: as it was before, or read now. */
  private item(parent: Node): Node | undefined {
    const { reusable } = this;
    this.next();
    const known = reusable?.find(this.at);
    if (!reusable || !known) return this.value(parent);
    this.values += valuesIn(known);
    if (this.values > this.limits.values) return undefined;
    this.at += known.length;
    reusable.take(known, parent);
    return known;
  }

  /** The next unit that is no white space; NaN at the end. */
  private next(): number {
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return unit;
      this.at++;
    }
  }

  private value(parent: Node): WritableNode | undefined {
    const unit = this.next();
    if (unit === QUOTE) return this.string(parent);
    if (unit === OPEN_BRACE) return this.container('object', CLOSE_BRACE, parent);
    if (unit === OPEN_BRACKET) return this.container('array', CLOSE_BRACKET, parent);
    if (unit === MINUS || (unit >= ZERO && unit <= NINE)) return this.number(parent);
    return this.word(unit, parent);
  }

  private container(type: 'object' | 'array', close: number, parent: Node): WritableNode | undefined {
    const node = this.open(type, parent);
    if (!node) return undefined;
    const before = this.pending.length;
    let goesOn = this.next() !== close;
    while (goesOn) {
      const child = type === 'object' ? this.property(node) : this.value(node);
      if (!child) return undefined;
      this.pending.push(child);
      const isNext = this.isNext(close);
      if (isNext === undefined) return undefined;
      goesOn = isNext;
    }
    return this.close(node, before);
  }

  private open(type: 'object' | 'array', parent: Node): WritableNode | undefined {
    const offset = this.at++;
    if (++this.depth > this.limits.depth || ++this.values > this.limits.values) return undefined;
    return { type, offset, length: -1, parent, children: NO_NODES };
  }

  /** Whether another child follows, whose comma is read then; undefined when neither that nor the end does. */
  private isNext(close: number): boolean | undefined {
    const unit = this.next();
    if (unit === close) return false;
    if (unit !== COMMA || ++this.values > this.limits.values) return undefined;
    this.at++;
    return true;
  }

  /** @param before how many children were pending when it was opened */
  private close(node: WritableNode, before: number): WritableNode {
    this.at++;
    this.depth--;
    node.children = this.pending.splice(before);
    node.length = this.at - node.offset;
    return node;
  }

  private property(parent: Node): WritableNode | undefined {
    const node = this.keyOf(parent);
    return node && this.withValue(node, this.value(node));
  }

  /** A property as far as its colon, with room for its value: an array that grows takes far more. */
  private keyOf(parent: Node): WritableNode | undefined {
    if (this.next() !== QUOTE) return undefined;
    const offset = this.at;
    const node: WritableNode = { type: 'property', offset, length: -1, parent, children: NO_NODES, colonOffset: -1 };
    const key = this.expectedName(node) ?? this.name(node);
    if (!key || this.next() !== COLON) return undefined;
    node.colonOffset = this.at++;
    node.children = [key, key];
    return node;
  }

  private withValue(property: WritableNode, value: Node | undefined): WritableNode | undefined {
    if (!value) return undefined;
    if (property.children) property.children[1] = value;
    property.length = this.at - property.offset;
    return property;
  }

  /** Thousands of entries have the same names in the same order: mostly a comparison is all that takes. */
  private expectedName(parent: Node): WritableNode | undefined {
    const offset = this.at;
    const value = this.followers.get(this.lastName);
    if (value === undefined || !this.text.startsWith(value, offset + 1)) return undefined;
    const length = value.length + 2;
    if (this.text.charCodeAt(offset + length - 1) !== QUOTE) return undefined;
    this.at += length;
    this.lastName = value;
    return { type: 'string', offset, length, parent, value };
  }

  private name(parent: Node): WritableNode | undefined {
    const key = this.string(parent);
    if (!key) return undefined;
    const written: unknown = key.value;
    if (typeof written !== 'string') return undefined;
    const value = this.names.get(written) ?? written;
    this.names.set(value, value);
    // One with escapes is not what the text has.
    if (value.length === key.length - 2) this.followers.set(this.lastName, value);
    this.lastName = value;
    key.value = value;
    return key;
  }

  private string(parent: Node): WritableNode | undefined {
    const offset = this.at;
    let end = offset + 1;
    let isPlain = true;
    for (;;) {
      const unit = this.text.charCodeAt(end);
      if (unit === QUOTE) break;
      if (unit === BACKSLASH) {
        isPlain = false;
        end++;
      } else if (!(unit >= 0x20)) return undefined;
      end++;
    }
    this.at = end + 1;
    const value = isPlain ? this.text.slice(offset + 1, end) : unescaped(this.text.slice(offset, end + 1));
    return value === undefined ? undefined : { type: 'string', offset, length: this.at - offset, parent, value };
  }

  private number(parent: Node): WritableNode | undefined {
    const offset = this.at;
    NUMBER.lastIndex = offset;
    if (!NUMBER.test(this.text)) return undefined;
    this.at = NUMBER.lastIndex;
    const value = Number(this.text.slice(offset, this.at));
    return { type: 'number', offset, length: this.at - offset, parent, value };
  }

  private word(unit: number, parent: Node): WritableNode | undefined {
    const offset = this.at;
    const found = WORDS.get(unit);
    if (!found || !this.text.startsWith(found.word, offset)) return undefined;
    this.at += found.word.length;
    return {
      type: found.value === null ? 'null' : 'boolean',
      offset,
      length: found.word.length,
      parent,
      value: found.value
    };
  }
}

/** The value of a string with escapes; undefined when one of them is none. */
function unescaped(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
