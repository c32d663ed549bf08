import { createScanner, type JSONScanner, type Node } from 'jsonc-parser';
import { type EarlierReading, ReusableEntries, type WritableNode } from './earlier-reading';

/** A violation of strict JSON. */
export interface JsonError {
  /** The number that jsonc-parser's `ParseErrorCode` has for it. */
  readonly error: number;
  readonly offset: number;
  readonly length: number;
}

/** What could be read of a text that is no strict JSON. */
export interface RecoveredReading {
  /** What was read up to where it made sense, and guessed from there; undefined when that is nothing. */
  readonly root: Node | undefined;
  /** The first violation of strict JSON: garbage of 8 MB has millions. */
  readonly syntaxError: JsonError | undefined;
  /** What a later version can be read by. */
  readonly reusable: EarlierReading | undefined;
}

/**
 * Reads a text as jsonc-parser's `parseTree` does when it allows neither comments nor commas too many, and finds the
 * same first error. What differs is that this pauses often, whatever the text holds, and does not read again what
 * did not change since an earlier version.
 * @param text of a nesting that is limited
 * @param earlier must not be used any more once there is a result: entries that did not change become a part of that
 */
export function* recoveringReading(text: string, earlier?: EarlierReading): Generator<undefined, RecoveredReading> {
  const entries = earlier && new ReusableEntries(earlier, text);
  const reader = new RecoveringReader(text, entries);
  while (!reader.isDone) {
    for (let token = 0; token < TOKENS && !reader.isDone; token++) reader.readToken();
    yield;
  }
  const { root, syntaxError, broken } = reader;
  // What was read before all was broken is worth more than a guess that has nothing of it.
  if (!root || (earlier && !entries?.areTaken)) return { root, syntaxError, reusable: earlier };
  entries?.adopt();
  return { root, syntaxError, reusable: { text, root, broken } };
}

/** So many tokens are read between two pauses. */
const TOKENS = 2048;

/** jsonc-parser's `SyntaxKind`, which has no values at run time. */
const OPEN_BRACE = 1;
const CLOSE_BRACE = 2;
const OPEN_BRACKET = 3;
const CLOSE_BRACKET = 4;
const COMMA = 5;
const COLON = 6;
const NULL = 7;
const TRUE = 8;
const FALSE = 9;
const STRING = 10;
const NUMBER = 11;
const LINE_COMMENT = 12;
const BLOCK_COMMENT = 13;
const LINE_BREAK = 14;
const TRIVIA = 15;
const UNKNOWN = 16;
const END = 17;

/** The same of its `ParseErrorCode`, as far as they are used. */
const INVALID_SYMBOL = 1;
const INVALID_NUMBER = 2;
const NAME_EXPECTED = 3;
const VALUE_EXPECTED = 4;
const COLON_EXPECTED = 5;
const COMMA_EXPECTED = 6;
const CLOSE_BRACE_EXPECTED = 7;
const CLOSE_BRACKET_EXPECTED = 8;
const END_EXPECTED = 9;
const INVALID_COMMENT = 10;

/** What the scanner finds wrong within a token, as errors; an open comment is wrong for being one. */
const SCAN_ERRORS: ReadonlyMap<number, number> = new Map([
  [2, 12],
  [3, 13],
  [4, 14],
  [5, 15],
  [6, 16]
]);

/** What the next token is expected to be. `skip`: it is passed over up to where the object or list goes on. */
type Expected = 'value' | 'item' | 'name' | 'colon' | 'field-value' | 'skip' | 'end';

/** An object or list that is being read. */
interface Open {
  readonly node: WritableNode & { children: Node[] };
  readonly isObject: boolean;
  /** The last field, while its value was not read. */
  field: WritableNode | undefined;
  needsComma: boolean;
  /** How many errors there were when the item began that is read. */
  errorsBefore: number;
}

/** Takes one token after the other, so that it can stop behind any. */
class RecoveringReader {
  isDone = false;
  root: WritableNode | undefined;
  syntaxError: JsonError | undefined;
  /** Items of lists in which something is wrong. */
  readonly broken = new Set<Node>();
  private readonly scanner: JSONScanner;
  private readonly open: Open[] = [];
  /** undefined: the innermost object or list goes on or ends. */
  private expected: Expected | undefined = 'value';
  private errors = 0;

  constructor(
    text: string,
    private readonly entries: ReusableEntries | undefined
  ) {
    this.scanner = createScanner(text, false);
  }

  readToken(): void {
    const token: number = this.scanner.scan();
    const error = SCAN_ERRORS.get(this.scanner.getTokenError());
    if (error !== undefined) this.report(error);
    if (token === LINE_COMMENT || token === BLOCK_COMMENT) this.report(INVALID_COMMENT);
    else if (token === UNKNOWN) this.report(INVALID_SYMBOL);
    else if (token !== TRIVIA && token !== LINE_BREAK) this.take(token);
  }

  private take(token: number): void {
    const innermost = this.open.at(-1);
    if (!innermost) this.takeOutside(token);
    else if (this.expected === undefined) this.goOn(innermost, token);
    else if (this.expected === 'name') this.takeName(innermost, token);
    else if (this.expected === 'colon') this.takeColon(innermost, token);
    else if (this.expected === 'skip') this.skip(innermost, token);
    else this.takeValueIn(innermost, token);
  }

  private takeOutside(token: number): void {
    if (this.expected === 'value' && this.takeValue(token)) return;
    if (this.expected === 'value') this.report(VALUE_EXPECTED);
    else if (token !== END) this.report(END_EXPECTED);
    this.isDone = true;
  }

  /** Between two fields or items. */
  private goOn(innermost: Open, token: number): void {
    const { isObject, needsComma } = innermost;
    if (token === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) this.close(innermost);
    else if (token === END) {
      this.report(isObject ? CLOSE_BRACE_EXPECTED : CLOSE_BRACKET_EXPECTED);
      this.close(innermost);
      this.take(token);
    } else if (token === COMMA) {
      if (!needsComma) this.report(VALUE_EXPECTED);
      this.endField(innermost, this.scanner.getTokenOffset());
      this.expected = isObject ? 'name' : 'item';
    } else {
      if (needsComma) this.report(COMMA_EXPECTED);
      if (isObject) this.takeName(innermost, token);
      else this.takeValueIn(innermost, token);
    }
  }

  private takeName(innermost: Open, token: number): void {
    if (token !== STRING) {
      this.report(NAME_EXPECTED);
      this.skip(innermost, token);
      return;
    }
    const { node: parent } = innermost;
    const offset = this.scanner.getTokenOffset();
    const field: WritableNode = { type: 'property', offset, length: -1, parent, children: [] };
    const value = this.scanner.getTokenValue();
    const key: Node = { type: 'string', value, offset, length: this.scanner.getTokenLength(), parent: field };
    field.children = [key];
    parent.children.push(field);
    innermost.field = field;
    this.expected = 'colon';
  }

  private takeColon(innermost: Open, token: number): void {
    if (token === COLON) {
      if (innermost.field) innermost.field.colonOffset = this.scanner.getTokenOffset();
      this.expected = 'field-value';
    } else {
      this.report(COLON_EXPECTED);
      this.skip(innermost, token);
    }
  }

  private takeValueIn(innermost: Open, token: number): void {
    innermost.errorsBefore = this.errors;
    if (this.takeValue(token)) return;
    this.report(VALUE_EXPECTED);
    this.skip(innermost, token);
  }

  private skip(innermost: Open, token: number): void {
    innermost.needsComma = true;
    const isSkipped = token !== END && token !== COMMA && token !== (innermost.isObject ? CLOSE_BRACE : CLOSE_BRACKET);
    this.expected = isSkipped ? 'skip' : undefined;
    if (!isSkipped) this.goOn(innermost, token);
  }

  /** @returns false for a token that begins no value */
  private takeValue(token: number): boolean {
    switch (token) {
      case OPEN_BRACE:
        if (!this.takeKnown()) this.openNode('object');
        return true;
      case OPEN_BRACKET:
        this.openNode('array');
        return true;
      case STRING:
        this.addScalar('string', this.scanner.getTokenValue());
        return true;
      case NUMBER:
        this.addNumber(Number(this.scanner.getTokenValue()));
        return true;
      case NULL:
        this.addScalar('null', null);
        return true;
      case TRUE:
      case FALSE:
        this.addScalar('boolean', token === TRUE);
        return true;
      default:
        return false;
    }
  }

  private addNumber(value: number): void {
    if (Number.isNaN(value)) this.report(INVALID_NUMBER);
    this.addScalar('number', Number.isNaN(value) ? 0 : value);
  }

  /** An item that stands here as it did before. */
  private takeKnown(): boolean {
    const innermost = this.open.at(-1);
    const offset = this.scanner.getTokenOffset();
    const known = innermost && !innermost.isObject ? this.entries?.find(offset) : undefined;
    if (!innermost || !known) return false;
    this.entries?.take(known, innermost.node);
    innermost.node.children.push(known);
    this.scanner.setPosition(offset + known.length);
    this.endValue(offset + known.length);
    return true;
  }

  private addScalar(type: 'string' | 'number' | 'boolean' | 'null', value: unknown): void {
    const offset = this.scanner.getTokenOffset();
    const length = this.scanner.getTokenLength();
    this.add({ type, offset, length, value });
    this.endValue(offset + length);
  }

  private openNode(type: 'object' | 'array'): void {
    const node: Open['node'] = { type, offset: this.scanner.getTokenOffset(), length: -1, children: [] };
    this.add(node);
    const isObject = type === 'object';
    this.open.push({ node, isObject, field: undefined, needsComma: false, errorsBefore: this.errors });
    this.expected = undefined;
  }

  private add(node: WritableNode): void {
    const innermost = this.open.at(-1);
    if (!innermost) {
      this.root = node;
      return;
    }
    const parent = innermost.field ?? innermost.node;
    node.parent = parent;
    parent.children?.push(node);
  }

  /** @param token that ends it, or the end of the text */
  private close(innermost: Open): void {
    const end = this.scanner.getTokenOffset() + this.scanner.getTokenLength();
    this.endField(innermost, end);
    innermost.node.length = end - innermost.node.offset;
    this.open.pop();
    this.endValue(end);
  }

  private endValue(end: number): void {
    const innermost = this.open.at(-1);
    this.expected = innermost ? undefined : 'end';
    if (!innermost) return;
    this.endField(innermost, end);
    innermost.needsComma = true;
    const item = innermost.node.children.at(-1);
    if (item && !innermost.isObject && this.errors > innermost.errorsBefore) this.broken.add(item);
  }

  private endField(innermost: Open, end: number): void {
    if (innermost.field) innermost.field.length = end - innermost.field.offset;
    innermost.field = undefined;
  }

  private report(error: number): void {
    this.errors++;
    this.syntaxError ??= { error, offset: this.scanner.getTokenOffset(), length: this.scanner.getTokenLength() };
  }
}
