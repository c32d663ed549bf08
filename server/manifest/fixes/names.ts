import { isDeepStrictEqual } from 'node:util';
import type { Node } from 'jsonc-parser';
import { collisionKey, fileNameProblem } from '../../../shared/file-name';
import { type ModelName, parseModelName } from '../../../shared/model-name';
import { entryIndexAt, entryTexts, fileEntries } from '../files';
import { FILE_NAME_FIELDS } from '../recognition/dialect';
import { type ManifestDocument, stringOf, valueOf } from '../text/document';
import { removeFromParent, replaceValue } from './edits';
import type { FixRequest, ManifestFix } from './fix';

/** Writes the nearest name that every platform accepts. */
export function fixFileName({ node, dialect }: FixRequest): ManifestFix[] {
  const text = stringOf(node);
  if (text === undefined) return [];
  const segments = dialect === 'source' ? [text.split(/[/\\]/).at(-1) ?? ''] : text.split(/[/\\]/);
  const safe = segments.filter((segment) => !['', '.', '..'].includes(segment)).map(safeFileName);
  const name = safe.join('/');
  if (name === '' || name === text || safe.some((segment) => fileNameProblem(segment) !== undefined)) return [];
  return [{ title: `Rename to “${name}”`, edits: [replaceValue(node, name)], isCertain: false }];
}

/** Writes the nearest name that a model can have. */
export function fixModelName({ node }: FixRequest): ManifestFix[] {
  const text = stringOf(node);
  const name = text === undefined ? undefined : nearestModelName(text);
  if (name === undefined || name === text) return [];
  return [{ title: `Rename to “${name}”`, edits: [replaceValue(node, name)], isCertain: false }];
}

/** The nearest name that a model can have; undefined when nothing is left of the text. */
export function nearestModelName(text: string): ModelName | undefined {
  const name = text
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '')
    .slice(0, 128);
  return parseModelName(name);
}

/** An entry that says the same as another goes; another file of the same name gets a name of its own. */
export function fixDuplicatePath({ document, dialect, diagnostic, node }: FixRequest): ManifestFix[] {
  const field = FILE_NAME_FIELDS[dialect];
  const text = stringOf(node);
  const entry = entryNamedAt(document, field, node.offset);
  const first = entryNamedAt(document, field, diagnostic.related?.[0]?.start);
  if (!entry || !first || text === undefined) return [];
  const removal = { title: 'Remove this entry', edits: [removeFromParent(document, entry)] };
  if (isDeepStrictEqual(valueOf(entry), valueOf(first))) return [{ ...removal, isCertain: true }];
  const name = freeName(text, takenNames(document, field));
  return [
    { title: `Rename to “${name}”`, edits: [replaceValue(node, name)], isCertain: false },
    { ...removal, isCertain: false }
  ];
}

/** The entry whose file name stands at an offset. */
function entryNamedAt(document: ManifestDocument, field: string, offset: number | undefined): Node | undefined {
  const index = offset === undefined ? undefined : entryIndexAt(document, offset);
  const entry = index === undefined ? undefined : fileEntries(document)[index];
  return entry && document.fieldsOf(entry).get(field)?.value?.offset === offset ? entry : undefined;
}

/** Every fix of a document asks for these. */
const takenByDocument = new WeakMap<ManifestDocument, ReadonlySet<string>>();

function takenNames(document: ManifestDocument, field: string): ReadonlySet<string> {
  const known = takenByDocument.get(document);
  if (known) return known;
  const taken = new Set(entryTexts(document, field).map(({ value }) => collisionKey(value)));
  takenByDocument.set(document, taken);
  return taken;
}

function safeFileName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replaceAll(/[<>:"|?*]/g, '-')
    .replace(/^\.+/, '')
    .replace(/[. ]+$/, '');
  // Of a device name, the extension does not matter.
  return fileNameProblem(plain)?.kind === 'reserved' ? `_${plain}` : plain;
}

/** `weights.gguf` is followed by `weights-2.gguf`. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  let number = 2;
  while (taken.has(collisionKey(`${stem}-${number}${extension}`))) number += 1;
  return `${stem}-${number}${extension}`;
}
