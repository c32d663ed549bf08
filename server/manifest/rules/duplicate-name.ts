import type { ManifestDiagnostic } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../document';

/**
 * The finding that other manifests in view have the same name and say something else: which one counts would be
 * chance. Apart from the other rules, for it needs to know more than one text.
 * @param namesakes the other manifests as people know them; none for a name of its own
 */
export function duplicateName(
  document: ManifestDocument,
  namesakes: readonly string[]
): ManifestDiagnostic | undefined {
  const node = document.nodeAt(['name']);
  const [first, ...others] = namesakes;
  if (!node || first === undefined) return undefined;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return {
    code: 'duplicate-name',
    severity: 'error',
    message: `${first}${more} has the same name but describes another model; rename one of them.`,
    ...rangeOf(node)
  };
}
