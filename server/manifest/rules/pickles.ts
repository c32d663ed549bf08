import { isPickleName } from '../../weights/weights-name';
import type { Report } from '../diagnostic';
import { type Dialect, FILE_NAME_FIELDS } from '../dialect';
import { type ManifestDocument, rangeOf } from '../document';
import { entryTexts } from '../files';

/** Files of a format that runs code when it is read. */
export function checkPickles(document: ManifestDocument, dialect: Dialect, report: Report): void {
  for (const { node, text } of entryTexts(document, FILE_NAME_FIELDS[dialect])) {
    if (!isPickleName(text)) continue;
    const message = 'Pickle files can run code on the machine that reads them; prefer safetensors or GGUF.';
    report({ code: 'pickle-file', severity: 'warning', message, ...rangeOf(node) });
  }
}
