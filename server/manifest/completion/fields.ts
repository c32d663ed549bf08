import type * as z from 'zod';
import type { Dialect } from '../recognition/dialect';
import { descriptionOf, fieldsAt, jsonTypeOf, type SchemaField, schemaAt } from '../schema-at';
import { type ManifestDocument, stringOf } from '../text/document';
import type { Place } from '../text/place';
import { type ManifestCompletion, snippetText } from './completion';

/** The fields that an object does not have yet, the required ones first. */
export function completeFieldName(document: ManifestDocument, dialect: Dialect, place: Place): ManifestCompletion[] {
  const object = document.nodeAt(place.path);
  const present = object ? document.fieldsOf(object) : new Map<string, unknown>();
  const after = document.text.slice(place.written.end, place.written.end + 200).trimStart();
  const hasValue = after.startsWith(':');
  // The name under the caret is of course there already.
  const own = stringOf(fieldNameAt(document, place));
  const separator = /^["{[\w-]/.test(after) ? ',' : '';
  return fieldsAt(dialect, place.path)
    .filter(({ name }) => !name.startsWith('$') && (name === own || !present.has(name)))
    .map((field, index) => {
      const documentation = descriptionOf(field.schema);
      const key = JSON.stringify(field.name);
      return {
        label: field.name,
        kind: 'field',
        detail: field.required ? 'required' : 'optional',
        ...(documentation !== undefined && { documentation }),
        range: place.written,
        snippet: hasValue
          ? snippetText(key)
          : `${snippetText(key)}: ${valueSnippet(field, dialect, place)}${separator}`,
        plain: hasValue ? key : `${key}: `,
        rank: field.required ? index : 100 + index
      };
    });
}

/** A new entry for the list of files. */
export function completeFileEntry(dialect: Dialect, place: Place): ManifestCompletion[] {
  if (dialect !== 'source') return [];
  return [
    {
      label: '{ role, url, filename }',
      kind: 'entry',
      detail: 'a file of the model',
      range: place.written,
      snippet: FILE_ENTRY,
      plain: '{ "role": "", "url": "", "filename": "" }',
      rank: 0
    }
  ];
}

const FILE_ENTRY = '{\n\t"role": "$1",\n\t"url": "$2",\n\t"filename": "$3"\n\\}';

function valueSnippet(field: SchemaField, dialect: Dialect, place: Place): string {
  switch (jsonTypeOf(field.schema)) {
    case 'text':
      return '"$1"';
    case 'number':
    case 'truth':
      return '$1';
    case 'object':
      return '{\n\t$1\n\\}';
    case 'list':
      return isListOfObjects(dialect, [...place.path, field.name]) && dialect === 'source'
        ? `[\n\t${FILE_ENTRY.replaceAll('\n', '\n\t')}\n]`
        : '[$1]';
  }
}

function isListOfObjects(dialect: Dialect, path: readonly (string | number)[]): boolean {
  const entry: z.core.$ZodType | undefined = schemaAt(dialect, [...path, 0]);
  return entry !== undefined && jsonTypeOf(entry) === 'object';
}

function fieldNameAt(document: ManifestDocument, { path, written }: Place) {
  const object = document.nodeAt(path);
  return object?.children?.find((property) => property.offset === written.start)?.children?.[0];
}
