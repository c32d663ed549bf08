import * as z from 'zod';
import { DIALECT_SCHEMAS, type Dialect } from './recognition/dialect';

/** One field that an object may have, as the schema describes it. */
export interface SchemaField {
  readonly name: string;
  readonly schema: z.core.$ZodType;
  readonly required: boolean;
}

/** The schema of what lies at a path of a manifest; undefined for what the schema says nothing about. */
export function schemaAt(dialect: Dialect, path: readonly (string | number)[]): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = DIALECT_SCHEMAS[dialect];
  for (const segment of path) {
    if (!schema) return undefined;
    const container = unwrapped(schema);
    if (container instanceof z.ZodArray && typeof segment === 'number') schema = container.element;
    else if (container instanceof z.ZodObject && Object.hasOwn(container.shape, segment))
      schema = container.shape[segment];
    else schema = undefined;
  }
  return schema;
}

/** The fields of an object that lies at a path, in the schema's order; none for anything else. */
export function fieldsAt(dialect: Dialect, path: readonly (string | number)[]): readonly SchemaField[] {
  const schema = schemaAt(dialect, path);
  const object = schema && unwrapped(schema);
  if (!(object instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = object.shape;
  return Object.entries(shape).map(([name, field]) => ({
    name,
    schema: field,
    required: !(field instanceof z.ZodOptional)
  }));
}

/** What people are told about a value; undefined when the schema has no words for it. */
export function descriptionOf(schema: z.core.$ZodType): string | undefined {
  const { description } = z.globalRegistry.get(schema) ?? {};
  if (description !== undefined) return description;
  return schema instanceof z.ZodOptional ? descriptionOf(schema.unwrap()) : undefined;
}

/** The kind of JSON value that a schema takes. */
export function jsonTypeOf(schema: z.core.$ZodType): 'text' | 'number' | 'truth' | 'list' | 'object' {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) return 'list';
  if (inner instanceof z.ZodObject) return 'object';
  if (inner instanceof z.ZodBoolean) return 'truth';
  return inner instanceof z.ZodNumber ? 'number' : 'text';
}

/** The texts that a schema takes; undefined when it takes any. */
export function optionsOf(schema: z.core.$ZodType): readonly string[] | undefined {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodEnum ? inner.options.map(String) : undefined;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap());
  return schema;
}
