import { byteText } from '../../../shared/byte-text';
import type { ModelSummary } from '../../../shared/model';
import type { TextRange } from '../diagnostic';
import { fileEntries } from '../files';
import type { ManifestKnowledge } from '../knowledge';
import { type Dialect, FILE_NAME_FIELDS } from '../recognition/dialect';
import { endOf, type ManifestDocument, stringOf } from '../text/document';

/** A few words shown behind a value. */
export interface ManifestInlayHint {
  readonly offset: number;
  readonly text: string;
}

const SIZE_FIELDS = ['size_bytes', 'approx_bytes', 'total_size_bytes'];

/** Sizes in units for people, and which files are here. Only entries that touch the range are looked at. */
export async function inlayHintsIn(
  document: ManifestDocument,
  dialect: Dialect,
  knowledge: ManifestKnowledge,
  range: TextRange
): Promise<ManifestInlayHint[]> {
  const { root } = document;
  if (!root || document.limit) return [];
  const name = stringOf(document.nodeAt(['name']));
  const model = name === undefined ? undefined : await knowledge.model(name);
  const present = new Map(model?.files.map((file) => [file.path, file.present]));
  const entries = fileEntries(document).filter(
    (entry) => entry.offset <= range.end && endOf(entry, document.text) >= range.start
  );
  const hints = [root, ...entries].flatMap((object) => [
    ...sizeHints(document, object),
    ...presenceHint(document, object, FILE_NAME_FIELDS[dialect], object === root ? undefined : model, present)
  ]);
  return hints.filter(({ offset }) => offset >= range.start && offset <= range.end);
}

function sizeHints(document: ManifestDocument, object: Parameters<typeof document.fieldsOf>[0]): ManifestInlayHint[] {
  const fields = document.fieldsOf(object);
  return SIZE_FIELDS.flatMap((field) => {
    const node = fields.get(field)?.value;
    const bytes: unknown = node?.value;
    // Up to a kibibyte the number says it all.
    if (node?.type !== 'number' || typeof bytes !== 'number' || !(bytes >= 1024)) return [];
    return [{ offset: node.offset + node.length, text: byteText(bytes) }];
  });
}

function presenceHint(
  document: ManifestDocument,
  entry: Parameters<typeof document.fieldsOf>[0],
  field: string,
  model: ModelSummary | undefined,
  present: ReadonlyMap<string, boolean>
): ManifestInlayHint[] {
  const node = document.fieldsOf(entry).get(field)?.value;
  const name = stringOf(node);
  if (!node || name === undefined || !model || model.status === 'registered') return [];
  const isPresent = present.get(name);
  if (isPresent === undefined) return [];
  return [{ offset: node.offset + node.length, text: isPresent ? '✓ installed' : '✗ missing' }];
}
