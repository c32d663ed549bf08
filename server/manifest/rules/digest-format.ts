import { parseDigest } from '../../../shared/digest';
import { entryText } from '../files';
import { rangeOf } from '../text/document';
import type { Rule } from './rule';

/** Digests that are read, but not spelled as we write them. */
export const digestFormat: Rule = {
  entry({ entry }, report) {
    const written = entryText(entry, 'sha256');
    const digest = written && parseDigest(written.value);
    if (!written || digest === undefined || digest === written.value) return;
    const message = 'Write digests in lower case without white space around them; this one is read all the same.';
    report({ code: 'digest-format', severity: 'information', message, ...rangeOf(written) });
  }
};
