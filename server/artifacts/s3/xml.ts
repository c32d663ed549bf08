/** An element of an answer of S3: attributes and namespaces mean nothing there. */
export interface XmlElement {
  readonly name: string;
  /** The text of an element without elements of its own, else what stands between those. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** The deepest that answers of S3 go is five. */
const DEEPEST = 16;

const NAME = String.raw`[A-Za-z_][\w.:-]*`;

const ATTRIBUTES = String.raw`(?:\s+${NAME}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*`;

/** One piece of markup after the other: an end, a start or an empty element. */
const TAG = new RegExp(String.raw`<(?:/(${NAME})\s*|(${NAME})${ATTRIBUTES}(/?))>`, 'y');

const DECLARATION = /^\uFEFF?\s*(?:<\?xml[^<>]*\?>)?\s*/;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Reads the XML of S3's answers: elements and text. Anything else (document types, comments, sections, processing
 * instructions, unknown entities) does not occur in them.
 * @returns the root; undefined for what is not such a document
 */
export function parseXml(text: string): XmlElement | undefined {
  const holder = new Building('');
  const open = [holder];
  let position = DECLARATION.exec(text)?.[0].length ?? 0;
  while (position < text.length) {
    const next = text.indexOf('<', position);
    const between = decodeText(text.slice(position, next === -1 ? undefined : next));
    const parent = open.at(-1);
    if (between === undefined || !parent) return undefined;
    parent.text += between;
    if (next === -1) break;
    TAG.lastIndex = next;
    const tag = TAG.exec(text);
    if (!tag || !applied(tag, open)) return undefined;
    position = TAG.lastIndex;
  }
  const [root, ...others] = holder.children;
  return open.length === 1 && others.length === 0 && holder.text.trim() === '' ? root : undefined;
}

/** The first element of that name directly below another one. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** The text of the first element of that name directly below another one, without white space around it. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  return childOf(element, name)?.text.trim();
}

/** Writes a text so that XML means it. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

class Building implements XmlElement {
  text = '';
  readonly children: Building[] = [];

  constructor(readonly name: string) {}
}

/** @returns false when the tag does not belong there */
function applied([, end, start = '', empty]: RegExpExecArray, open: Building[]): boolean {
  if (end !== undefined) return open.length > 1 && open.pop()?.name === end;
  const element = new Building(start);
  open.at(-1)?.children.push(element);
  if (empty === '') open.push(element);
  return open.length <= DEEPEST && (open.length > 1 || empty === '/');
}

function decodeText(text: string): string | undefined {
  let isSound = !text.includes('\0');
  const decoded = text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}))?;?/gi, (whole, decimal, hex, name) => {
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    const character = name === undefined ? characterOf(code) : Object.hasOwn(ENTITIES, name) && ENTITIES[name];
    if (typeof character === 'string' && whole.endsWith(';')) return character;
    isSound = false;
    return '';
  });
  return isSound ? decoded : undefined;
}

function characterOf(code: number): string | undefined {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
