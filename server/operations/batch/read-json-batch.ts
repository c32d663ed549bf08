import { checkSyntax } from '../../manifest/rules/syntax';
import { parseManifestText, valueOf } from '../../manifest/text/document';
import { BatchMistake, type RawBatch, type ValuePath } from './batch-mistake';

/** Reads the text of a batch in JSON. @throws BatchMistake */
export function readJsonBatch(text: string): RawBatch {
  const document = parseManifestText(text);
  const { root, limit } = document;
  if (limit) throw new BatchMistake(LIMITS[limit.code], limit.start);
  checkSyntax(document, ({ message, start }) => {
    throw new BatchMistake(message, start);
  });
  if (root?.type !== 'object') throw new BatchMistake('A batch is one JSON object.', root?.offset ?? 0);
  const { $schema: _, name, ...definition } = Object.fromEntries(Object.entries(Object(valueOf(root))));
  return {
    name,
    definition,
    offsetOf(path, key) {
      const around = document.nodeAt(path.slice(0, -1));
      const field = around && document.fieldsOf(around).get(String(path.at(-1)));
      if (field && (key || !field.value)) return field.key.offset;
      return nearest(path, (shorter) => document.nodeAt(shorter)?.offset) ?? root.offset;
    }
  };
}

const LIMITS = {
  'too-large': 'The batch has more than 300,000 values; split it into several.',
  'too-deep': 'Brackets are nested too deeply here; a batch needs four levels.'
} as const;

/** A single set of options needs no list around it, so a place in one may be missing. */
function nearest(path: ValuePath, offsetOf: (path: ValuePath) => number | undefined): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const shorter = path.slice(0, length);
    const found = offsetOf(shorter) ?? offsetOf(shorter.filter((part, at) => !(at === 1 && part === 0)));
    if (found !== undefined) return found;
  }
  return undefined;
}
