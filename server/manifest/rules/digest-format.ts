import { parseDigest } from '../../../shared/digest';
import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../document';
import { entryTexts } from '../files';

/** Digests that are read, but not spelled as we write them. */
export function checkDigestFormat(document: ManifestDocument, report: Report): void {
  for (const { node, text } of entryTexts(document, 'sha256')) {
    const digest = parseDigest(text);
    if (digest === undefined || digest === text) continue;
    const message = 'Write digests in lower case without white space around them; this one is read all the same.';
    report({ code: 'digest-format', severity: 'information', message, ...rangeOf(node) });
  }
}
