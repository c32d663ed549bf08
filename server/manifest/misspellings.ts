import type { Node } from 'jsonc-parser';
import * as z from 'zod';
import type { Field, ManifestDocument } from './document';
import { nearMiss } from './near-miss';

/** A field that nobody reads, and the absent field of the same object that was probably meant. */
export interface Misspelling {
  readonly object: Node;
  readonly field: Field;
  readonly meant: string;
  /** Whether the object is invalid without the field that was meant. */
  readonly required: boolean;
}

/** Finds misspelled field names. Other unknown fields are none of our business: manifests may carry more. */
export function misspellings(document: ManifestDocument, schema: z.core.$ZodType): Misspelling[] {
  const found: Misspelling[] = [];
  if (document.root) collect(document, schema, document.root, found);
  return found;
}

function collect(document: ManifestDocument, schema: z.core.$ZodType, node: Node, found: Misspelling[]): void {
  if (schema instanceof z.ZodOptional) collect(document, schema.unwrap(), node, found);
  else if (schema instanceof z.ZodArray && node.type === 'array') {
    for (const entry of node.children ?? []) collect(document, schema.element, entry, found);
  } else if (schema instanceof z.ZodObject && node.type === 'object') collectInObject(document, schema, node, found);
}

function collectInObject(document: ManifestDocument, { shape }: z.ZodObject, object: Node, found: Misspelling[]): void {
  const fields = document.fieldsOf(object);
  for (const field of fields.values()) {
    const known = Object.hasOwn(shape, field.name) ? shape[field.name] : undefined;
    if (known) {
      if (field.value?.children) collect(document, known, field.value, found);
      continue;
    }
    const meant = meantField(field.name, Object.keys(shape), fields);
    if (meant !== undefined) found.push({ object, field, meant, required: !(shape[meant] instanceof z.ZodOptional) });
  }
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
