import type { Node } from 'jsonc-parser';
import * as z from 'zod';
import { type Field, type ManifestDocument, stringOf } from '../text/document';
import { nearMiss } from './near-miss';

/** A field that nobody reads, and the absent field of the same object that was probably meant. */
export interface Misspelling {
  readonly object: Node;
  readonly field: Field;
  readonly meant: string;
  /** Whether the object is invalid without the field that was meant. */
  readonly required: boolean;
}

/**
 * Finds misspelled field names. Other unknown fields are none of our business: manifests may carry more.
 * @param node what the schema describes
 * @param leftOut is not looked into
 */
export function misspellings(
  document: ManifestDocument,
  schema: z.core.$ZodType,
  node: Node,
  leftOut?: Node
): Misspelling[] {
  const search: Search = { document, leftOut, found: [] };
  collect(search, schema, node);
  return search.found;
}

interface Search {
  readonly document: ManifestDocument;
  readonly leftOut: Node | undefined;
  readonly found: Misspelling[];
}

function collect(search: Search, schema: z.core.$ZodType, node: Node): void {
  if (node === search.leftOut) return;
  if (schema instanceof z.ZodOptional) collect(search, schema.unwrap(), node);
  else if (schema instanceof z.ZodArray && node.type === 'array') {
    for (const entry of node.children ?? []) collect(search, schema.element, entry);
  } else if (schema instanceof z.ZodObject && node.type === 'object') collectInObject(search, schema, node);
}

function collectInObject(search: Search, { shape }: z.ZodObject, object: Node): void {
  if (isPlain(shape, object)) return;
  const { document, found } = search;
  const fields = document.fieldsOf(object);
  for (const field of fields.values()) {
    const known = Object.hasOwn(shape, field.name) ? shape[field.name] : undefined;
    if (known) {
      if (field.value?.children) collect(search, known, field.value);
      continue;
    }
    const meant = recalledField(document, field.name, Object.keys(shape), fields);
    if (meant !== undefined) found.push({ object, field, meant, required: !(shape[meant] instanceof z.ZodOptional) });
  }
}

/** Whether an object has nothing but scalars in fields that are known: most of thousands do, and need no map. */
function isPlain(shape: z.ZodObject['shape'], { children = [] }: Node): boolean {
  return children.every((property) => {
    const name = stringOf(property.children?.[0]);
    return name !== undefined && Object.hasOwn(shape, name) && !property.children?.[1]?.children;
  });
}

/** What was meant, by the absent fields and the name: entries tend to repeat the same mistake. */
const meantFields = new WeakMap<ManifestDocument, Map<string, string | undefined>>();

/** As {@link meantField}, but looks only once for the same name among the same absent fields. */
function recalledField(
  document: ManifestDocument,
  written: string,
  known: readonly string[],
  present: ReadonlyMap<string, Field>
): string | undefined {
  const meant = meantFields.get(document) ?? new Map<string, string | undefined>();
  meantFields.set(document, meant);
  const absent = known.filter((name) => !present.has(name));
  const question = `${absent.join()}\n${written}`;
  if (!meant.has(question)) meant.set(question, meantField(written, absent, present));
  return meant.get(question);
}

/** The absent field of an object that was probably meant by an unknown one; undefined when none is near. */
export function meantField(
  written: string,
  known: readonly string[],
  present: { has(name: string): boolean }
): string | undefined {
  if (isSetApart(written)) return undefined;
  return nearMiss(
    written,
    known.filter((name) => !isSetApart(name) && !present.has(name))
  );
}

/** Names that formats by convention keep apart from their own fields. */
function isSetApart(name: string): boolean {
  return /^([$_/#]|x[-_])/.test(name);
}
