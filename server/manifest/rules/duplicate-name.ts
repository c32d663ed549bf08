import type { ManifestDiagnostic } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../text/document';

/** Other manifests in view that have the name of one but say something else. */
export interface Namesakes {
  readonly count: number;
  /** The first of them by path, as people know it. */
  readonly first: string;
}

/**
 * The finding that other manifests in view have the same name and say something else: which one counts would be
 * chance. Apart from the other rules, for it needs to know more than one text.
 * @param namesakes undefined for a name of its own
 */
export function duplicateName(
  document: ManifestDocument,
  namesakes: Namesakes | undefined
): ManifestDiagnostic | undefined {
  const node = document.nodeAt(['name']);
  if (!node || !namesakes) return undefined;
  const { count, first } = namesakes;
  const more = count === 1 ? '' : ` and ${count - 1} more`;
  return {
    code: 'duplicate-name',
    severity: 'error',
    message: `${first}${more} has the same name but describes another model; rename one of them.`,
    ...rangeOf(node)
  };
}
