import { parseDigest } from '../../../shared/digest';
import { entryText, entryTexts, hasField, type TextNode } from '../files';
import { endOf, rangeOf } from '../text/document';
import type { Rule } from './rule';
import { excerpt } from './texts';

/** The same digest twice: mostly one that was copied from the wrong line. */
export const repeatedDigests: Rule = {
  whole({ document }, report) {
    const first = new Map<string, TextNode>();
    for (const digest of entryTexts(document, 'sha256')) {
      const parsed = parseDigest(digest.value);
      if (parsed === undefined) continue;
      const before = first.get(parsed);
      if (!before) {
        first.set(parsed, digest);
        continue;
      }
      const entry = before.parent?.parent;
      const other = entry && entryText(entry, 'filename')?.value;
      const message = `${other === undefined ? 'Another file' : `“${excerpt(other)}”`} has this digest too; check that both are really the same content.`;
      const related = [{ ...rangeOf(before), message: 'The other one is here.' }];
      report({ code: 'repeated-digest', severity: 'information', message, ...rangeOf(digest), related });
    }
  }
};

/** Files that nobody could prove. A suggestion only: whoever has no digest at hand can still pull. */
export const missingDigests: Rule = {
  entry({ document, entry }, report) {
    const url = entryText(entry, 'url');
    if (!url || hasField(entry, 'sha256')) return;
    const message = 'Without “sha256” nobody can prove that this file is the right one; add it.';
    const judgedUntil = endOf(entry, document.text);
    report({ code: 'missing-digest', severity: 'hint', message, ...rangeOf(url), judgedUntil });
  }
};
