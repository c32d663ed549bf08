import * as z from 'zod';
import { generationRequest } from '../../../shared/generation';

/** A value of a request, as it is written where everything is a text. */
export interface RequestValue {
  /** With a dot before a field of a field. */
  readonly path: string;
  readonly kind: 'text' | 'number' | 'truth' | 'texts';
}

/** Every value that a request may have. */
export const REQUEST_VALUES: readonly RequestValue[] = valuesOf(generationRequest, '');

/** Fields that name images, by paths. */
export const IMAGE_FIELDS: ReadonlySet<string> = new Set(['init_image', 'mask', 'control_image', 'references']);

/** Puts a value where it belongs in what is known of a request so far. */
export function putValue(given: Record<string, unknown>, path: string, value: unknown): void {
  const [field = '', inner] = path.split('.');
  given[field] = inner === undefined ? value : { ...Object(given[field]), [inner]: value };
}

/**
 * A value from texts, the last of which counts unless all do. What is no number or truth stays a text, and the request
 * refuses it by name.
 */
export function valueOfTexts({ kind }: RequestValue, texts: readonly string[]): unknown {
  const last = texts.at(-1) ?? '';
  switch (kind) {
    case 'texts':
      return texts;
    case 'text':
      return last;
    case 'number':
      return last.trim() !== '' && Number.isFinite(Number(last)) ? Number(last) : last;
    case 'truth':
      return last === 'true' ? true : last === 'false' ? false : last;
  }
}

function valuesOf(schema: z.ZodObject, prefix: string): RequestValue[] {
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(shape).flatMap(([name, field]) => {
    const inner = field instanceof z.ZodOptional ? field.unwrap() : field;
    const path = `${prefix}${name}`;
    return inner instanceof z.ZodObject ? valuesOf(inner, `${path}.`) : [{ path, kind: kindOf(inner) }];
  });
}

function kindOf(schema: z.core.$ZodType): RequestValue['kind'] {
  if (schema instanceof z.ZodBoolean) return 'truth';
  if (schema instanceof z.ZodArray) return 'texts';
  return schema instanceof z.ZodNumber ? 'number' : 'text';
}
