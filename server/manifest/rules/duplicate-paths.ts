import { collisionKey } from '../../../shared/file-name';
import type { Report } from '../diagnostic';
import { FILE_NAME_FIELDS } from '../dialect';
import { rangeOf } from '../document';
import { type EntryText, entryTexts } from '../files';
import type { Rule } from './rule';
import { excerpt } from './texts';

/** Two entries that would be one file on some platform, and a file that is also the folder of another. */
export const duplicatePaths: Rule = {
  whole({ document, dialect }, report) {
    const names = entryTexts(document, FILE_NAME_FIELDS[dialect]);
    const files = new Map<string, EntryText>();
    for (const name of names) {
      const key = collisionKey(name.text);
      const first = files.get(key);
      if (first) reportPair(name, first, sameNameText(name, first), report);
      else files.set(key, name);
    }
    for (const name of names) {
      if (!name.text.includes('/')) continue;
      const folder = parentFolders(name.text).find((parent) => files.has(parent));
      const file = folder === undefined ? undefined : files.get(folder);
      if (file)
        reportPair(name, file, `“${excerpt(file.text)}” is a file and cannot be a folder too; rename one.`, report);
    }
  }
};

function sameNameText(name: EntryText, first: EntryText): string {
  if (name.text === first.text) return 'Another file has this name; rename one of them, or remove the one too many.';
  return `This is the same file as “${excerpt(first.text)}” where case or Unicode form do not count; rename one of them.`;
}

function reportPair(name: EntryText, other: EntryText, message: string, report: Report): void {
  const related = [{ ...rangeOf(other.node), message: 'The other one is here.' }];
  report({ code: 'duplicate-path', message, ...rangeOf(name.node), related });
}

/** Collision keys of the folders above a path, outermost first. */
function parentFolders(path: string): string[] {
  const segments = collisionKey(path).split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}
