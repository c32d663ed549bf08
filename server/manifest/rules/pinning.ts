import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../document';
import { entryTexts } from '../files';
import { hubFileOf, isPinned } from '../hub-file';

/**
 * Addresses of the hub that lead to whatever a branch holds on the day. With a digest that is noticed when the branch
 * moves; without one it is not.
 */
export function checkPinning(document: ManifestDocument, report: Report): void {
  for (const { node, text } of entryTexts(document, 'url')) {
    const revision = movableRevision(text);
    const entry = node.parent?.parent;
    if (revision === undefined || !entry) continue;
    const isProved = document.fieldsOf(entry).has('sha256');
    const message = isProved
      ? `“${revision}” may lead to another file tomorrow, which is then refused; name a commit.`
      : `“${revision}” may lead to another file tomorrow, and nobody would notice; name a commit, or add “sha256”.`;
    report({ code: 'unpinned-revision', severity: isProved ? 'hint' : 'information', message, ...rangeOf(node) });
  }
}

/** The branch or tag that an address of the hub names; undefined for commits and everything else. */
function movableRevision(url: string): string | undefined {
  // Most addresses lead elsewhere, and a manifest may have ten thousand.
  if (!/^hf:|huggingface/i.test(url)) return undefined;
  const file = hubFileOf(url);
  return file && !isPinned(file) ? file.revision : undefined;
}
