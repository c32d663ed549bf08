import { parseDigest } from '../../../shared/digest';
import { totalOfFiles } from '../rules/total-size';
import { stringOf } from '../text/document';
import { propertyOf, removeFromParent, replaceValue } from './edits';
import type { FixRequest, ManifestFix } from './fix';

/** Writes a digest as we write it. */
export function fixDigest({ document, node }: FixRequest): ManifestFix[] {
  const text = stringOf(node);
  if (text === undefined) return [];
  const digest = parseDigest(text.trim().replace(/^(sha-?256[:=-])/i, ''));
  if (digest !== undefined && digest !== text) {
    return [{ title: 'Write the digest in lower case', edits: [replaceValue(node, digest)], isCertain: true }];
  }
  const property = propertyOf(node);
  if (!property) return [];
  return [{ title: 'Leave the digest out', edits: [removeFromParent(document, property)], isCertain: false }];
}

/** Writes the sum of the files' sizes. */
export function fixTotalSize({ document, node }: FixRequest): ManifestFix[] {
  const total = totalOfFiles(document);
  if (total === undefined || propertyOf(node)?.children?.[0]?.value !== 'total_size_bytes') return [];
  return [{ title: `Write ${total}`, edits: [replaceValue(node, total)], isCertain: true }];
}
