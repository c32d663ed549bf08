import { placeAt } from '../text/place';
import type { ManifestCompletion, ManifestInHand } from './completion';
import { completeFieldName, completeFileEntry } from './fields';
import { completeValue } from './values';

/** Everything that can be written at an offset of a manifest; nothing where the text is beyond what we read. */
export async function completeAt(manifest: ManifestInHand, offset: number): Promise<readonly ManifestCompletion[]> {
  const { document, dialect } = manifest;
  const place = placeAt(document, offset);
  if (!place) return [];
  if (place.kind === 'field') return completeFieldName(document, dialect, place);
  const isNewEntry = place.path.length === 2 && place.path[0] === 'files';
  if (isNewEntry) return completeFileEntry(dialect, place);
  return completeValue({ ...manifest, place });
}
