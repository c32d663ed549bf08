import { parseDigest } from '../../../shared/digest';
import type { Report } from '../diagnostic';
import { endOf, type ManifestDocument, rangeOf, stringOf } from '../document';
import { type EntryText, entryTexts, fileEntries } from '../files';
import { excerpt } from './texts';

/** The same digest twice: mostly one that was copied from the wrong line. */
export function checkRepeatedDigests(document: ManifestDocument, report: Report): void {
  const first = new Map<string, EntryText>();
  for (const digest of entryTexts(document, 'sha256')) {
    const parsed = parseDigest(digest.text);
    if (parsed === undefined) continue;
    const before = first.get(parsed);
    if (!before) {
      first.set(parsed, digest);
      continue;
    }
    const entry = before.node.parent?.parent;
    const other = entry && stringOf(document.fieldsOf(entry).get('filename')?.value);
    const message = `${other === undefined ? 'Another file' : `“${excerpt(other)}”`} has this digest too; check that both are really the same content.`;
    const related = [{ ...rangeOf(before.node), message: 'The other one is here.' }];
    report({ code: 'repeated-digest', severity: 'information', message, ...rangeOf(digest.node), related });
  }
}

/** Files that nobody could prove. A suggestion only: whoever has no digest at hand can still pull. */
export function checkMissingDigests(document: ManifestDocument, report: Report): void {
  for (const entry of fileEntries(document)) {
    const fields = document.fieldsOf(entry);
    const url = fields.get('url')?.value;
    if (fields.has('sha256') || stringOf(url) === undefined || !url) continue;
    const message = 'Without “sha256” nobody can prove that this file is the right one; add it.';
    const judgedUntil = endOf(entry, document.text);
    report({ code: 'missing-digest', severity: 'hint', message, ...rangeOf(url), judgedUntil });
  }
}
