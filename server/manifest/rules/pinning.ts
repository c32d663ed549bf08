import { entryText, hasField } from '../files';
import { hubFileOf, isPinned } from '../hub-file';
import { rangeOf } from '../text/document';
import type { Rule } from './rule';

/**
 * Addresses of the hub that lead to whatever a branch holds on the day. With a digest that is noticed when the branch
 * moves; without one it is not.
 */
export const pinning: Rule = {
  entry({ entry }, report) {
    const url = entryText(entry, 'url');
    const revision = url && movableRevision(url.value);
    if (!url || revision === undefined) return;
    const isProved = hasField(entry, 'sha256');
    const message = isProved
      ? `“${revision}” may lead to another file tomorrow, which is then refused; name a commit.`
      : `“${revision}” may lead to another file tomorrow, and nobody would notice; name a commit, or add “sha256”.`;
    report({ code: 'unpinned-revision', severity: isProved ? 'hint' : 'information', message, ...rangeOf(url) });
  }
};

/** The branch or tag that an address of the hub names; undefined for commits and everything else. */
function movableRevision(url: string): string | undefined {
  // Most addresses lead elsewhere, and a manifest may have ten thousand.
  if (!/^hf:|huggingface/i.test(url)) return undefined;
  const file = hubFileOf(url);
  return file && !isPinned(file) ? file.revision : undefined;
}
