import { isUpscaler, type ModelSummary } from '../../../shared/model';
import type { TextRange } from '../diagnostic';
import type { ManifestKnowledge } from '../knowledge';
import { type ManifestDocument, rangeOf, stringOf } from '../text/document';

/** What a lens does with the model that the manifest names. */
export type LensAction = 'pull' | 'verify' | 'generate' | 'publish';

/** A line above the model's name. */
export interface ManifestLens extends TextRange {
  readonly title: string;
  /** undefined: it only tells. */
  readonly action: LensAction | undefined;
  readonly model: string;
}

/** What can be done with the model now, and what state it is in. */
export async function lensesOf(document: ManifestDocument, knowledge: ManifestKnowledge): Promise<ManifestLens[]> {
  const node = document.nodeAt(['name']);
  const name = stringOf(node);
  const model = !node || name === undefined || document.limit ? undefined : await knowledge.model(name);
  if (!node || !model) return [];
  return lensTexts(model, knowledge.canPublish).map(({ title, action }) => ({
    ...rangeOf(node),
    title,
    action,
    model: model.name
  }));
}

type LensText = Pick<ManifestLens, 'title' | 'action'>;

function lensTexts(model: ModelSummary, canPublish: boolean): readonly LensText[] {
  const pull = { title: 'Pull', action: 'pull' } as const;
  const again = { title: 'Pull Again', action: 'pull' } as const;
  const verify = { title: 'Verify', action: 'verify' } as const;
  switch (model.status) {
    case 'registered':
      return [pull];
    case 'installed':
      return [
        ...(isUpscaler(model) ? [] : [{ title: 'Generate', action: 'generate' } as const]),
        verify,
        ...(canPublish ? [{ title: 'Publish', action: 'publish' } as const] : [])
      ];
    case 'missing':
      return [{ title: 'the installed files are gone', action: undefined }, again];
    case 'unhealthy':
      return [{ title: 'damaged', action: undefined }, again, verify];
    case 'outdated':
      return [{ title: 'outdated', action: undefined }, again, verify];
    case 'invalid':
      // Its mistakes are shown in the manifest itself.
      return [];
  }
}
