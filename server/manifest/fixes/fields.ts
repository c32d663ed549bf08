import { isDeepStrictEqual } from 'node:util';
import { getNodePath, type Node } from 'jsonc-parser';
import { fileNameOf } from '../file-name-of';
import { meantField } from '../recognition/misspellings';
import { nameHere } from '../rules/names-elsewhere';
import { meantOption } from '../rules/texts';
import { fieldsAt, jsonTypeOf, optionsOf, type SchemaField, schemaAt } from '../schema-at';
import { forEachField, type ManifestDocument, stringOf, valueOf } from '../text/document';
import { addFields, propertyOf, removeFromParent, replaceValue } from './edits';
import type { FixRequest, ManifestFix } from './fix';
import { likelyRole } from './likely-role';

/** Spells a field's name as it was meant. */
export function fixFieldName({ document, dialect, node }: FixRequest): ManifestFix[] {
  const object = node.parent?.parent;
  const written = stringOf(node);
  if (!object || written === undefined) return [];
  const known = fieldsAt(dialect, getNodePath(object)).map(({ name }) => name);
  const meant = meantField(written, known, document.fieldsOf(object));
  if (meant === undefined) return [];
  return [{ title: `Write “${meant}”`, edits: [replaceValue(node, meant)], isCertain: true }];
}

/** Writes the name that a field has here. */
export function fixNameElsewhere({ node }: FixRequest): ManifestFix[] {
  const ours = nameHere(stringOf(node) ?? '');
  return ours === undefined ? [] : [{ title: `Write “${ours}”`, edits: [replaceValue(node, ours)], isCertain: true }];
}

/** Takes a field out that nothing reads. */
export function fixUnnecessaryField({ document, node }: FixRequest): ManifestFix[] {
  const property = propertyOf(node);
  if (!property) return [];
  return [{ title: 'Remove the field', edits: [removeFromParent(document, property)], isCertain: true }];
}

/** Spells a role, task or other option as it was meant. */
export function fixOption({ dialect, node }: FixRequest): ManifestFix[] {
  const schema = schemaAt(dialect, getNodePath(node));
  const text = stringOf(node);
  const meant = text === undefined ? undefined : meantOption(text, (schema && optionsOf(schema)) ?? []);
  if (meant === undefined) return [];
  return [{ title: `Write “${meant}”`, edits: [replaceValue(node, meant)], isCertain: true }];
}

/** Takes the earlier one of two equal keys out: it does not count anyway. */
export function fixDuplicateKey({ document, diagnostic, node }: FixRequest): ManifestFix[] {
  const object = node.parent?.parent;
  const first = object?.children?.find((property) => property.offset === diagnostic.related?.[0]?.start);
  const second = propertyOf(node);
  if (!first || !second) return [];
  const areSame = isDeepStrictEqual(valueOfProperty(first), valueOfProperty(second));
  const edits = [removeFromParent(document, first)];
  return [{ title: 'Remove the one that does not count', edits, isCertain: areSame }];
}

/** Adds the fields that an object must have, with what can be told of them. */
export function fixMissingFields({ document, dialect, node }: FixRequest): ManifestFix[] {
  const object = objectAt(node);
  if (!object) return [];
  const present = document.fieldsOf(object);
  const absent = fieldsAt(dialect, getNodePath(object)).filter(({ name, required }) => required && !present.has(name));
  if (absent.length === 0) return [];
  const fields = absent.map((field) => [field.name, likelyValue(document, object, field)] as const);
  const names = absent.map(({ name }) => `“${name}”`).join(', ');
  return [{ title: `Add ${names}`, edits: [addFields(document, object, fields)], isCertain: false }];
}

function objectAt(node: Node): Node | undefined {
  if (node.type === 'object') return node;
  const value = propertyOf(node)?.children?.[1];
  return value?.type === 'object' ? value : undefined;
}

function likelyValue(document: ManifestDocument, object: Node, { name, schema }: SchemaField): unknown {
  const text = (field: string): string | undefined => stringOf(document.fieldsOf(object).get(field)?.value);
  const fileName = text('filename') ?? (text('url') === undefined ? undefined : fileNameOf(text('url') ?? ''));
  if (name === 'filename') return fileName ?? '';
  if (name === 'role') return (fileName && likelyRole(fileName)) ?? '';
  switch (jsonTypeOf(schema)) {
    case 'list':
      return [];
    case 'object':
      return {};
    case 'number':
      return 0;
    case 'truth':
      return false;
    case 'text':
      return '';
  }
}

function valueOfProperty(property: Node): unknown {
  let value: unknown;
  if (property.parent) {
    forEachField(property.parent, (field) => {
      if (field.key === property.children?.[0]) value = field.value && valueOf(field.value);
    });
  }
  return value;
}
