import { isPickleName } from '../../weights/weights-name';
import { entryText } from '../files';
import { FILE_NAME_FIELDS } from '../recognition/dialect';
import { rangeOf } from '../text/document';
import type { Rule } from './rule';

/** Files of a format that runs code when it is read. */
export const pickles: Rule = {
  entry({ entry, dialect }, report) {
    const name = entryText(entry, FILE_NAME_FIELDS[dialect]);
    if (!name || !isPickleName(name.value)) return;
    const message = 'Pickle files can run code on the machine that reads them; prefer safetensors or GGUF.';
    report({ code: 'pickle-file', severity: 'warning', message, ...rangeOf(name) });
  }
};
