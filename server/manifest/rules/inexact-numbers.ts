import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../document';
import { forEachNode } from './tree';

/** Numbers that JSON readers change silently: integers beyond 2^53 are rounded, and 1e400 becomes infinite. */
export function checkNumbers(document: ManifestDocument, report: Report): void {
  forEachNode(document.root, (node) => {
    if (node.type !== 'number') return;
    const value = Number(node.value);
    const literal = document.text.slice(node.offset, node.offset + node.length);
    const exact = Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(literal));
    if (exact) return;
    const message = 'JSON readers cannot hold this number exactly; write one of at most 9007199254740991.';
    report({ code: 'inexact-number', message, ...rangeOf(node) });
  });
}
