import { collisionKey } from '../../../shared/file-name';
import type { Report } from '../diagnostic';
import { entryTexts, type TextNode } from '../files';
import { FILE_NAME_FIELDS } from '../recognition/dialect';
import { rangeOf } from '../text/document';
import type { Rule } from './rule';
import { excerpt } from './texts';

/** Two entries that would be one file on some platform, and a file that is also the folder of another. */
export const duplicatePaths: Rule = {
  whole({ document, dialect }, report) {
    const names = entryTexts(document, FILE_NAME_FIELDS[dialect]);
    const files = new Map<string, TextNode>();
    for (const name of names) {
      const key = collisionKey(name.value);
      const first = files.get(key);
      if (first) reportPair(name, first, sameNameText(name, first), report);
      else files.set(key, name);
    }
    for (const name of names) {
      if (!name.value.includes('/')) continue;
      const folder = parentFolders(name.value).find((parent) => files.has(parent));
      const file = folder === undefined ? undefined : files.get(folder);
      if (file)
        reportPair(name, file, `“${excerpt(file.value)}” is a file and cannot be a folder too; rename one.`, report);
    }
  }
};

function sameNameText(name: TextNode, first: TextNode): string {
  if (name.value === first.value) return 'Another file has this name; rename one of them, or remove the one too many.';
  return `This is the same file as “${excerpt(first.value)}” where case or Unicode form do not count; rename one of them.`;
}

function reportPair(name: TextNode, other: TextNode, message: string, report: Report): void {
  const related = [{ ...rangeOf(other), message: 'The other one is here.' }];
  report({ code: 'duplicate-path', message, ...rangeOf(name), related });
}

/** Collision keys of the folders above a path, outermost first. */
function parentFolders(path: string): string[] {
  const segments = collisionKey(path).split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}
