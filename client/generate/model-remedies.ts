import type { ModelSummary } from '../../shared/model';
import type { ActionParts } from '../models/action-parts';
import { convertAgain } from '../models/convert-model';
import { heal, verify } from '../models/model-actions';
import type { ModelList } from '../models/model-list';
import { pull } from '../models/pull-actions';
import { type Remedies, sayFailed } from '../support/messages';

interface RemedyParts extends ActionParts {
  readonly models: ModelList;
}

/** The ways out of a failed run that have to do with the model: it is missing, or something of it is damaged. */
export function modelRemedies(
  parts: RemedyParts,
  name: string
): Pick<Remedies, 'pull' | 'verify' | 'heal' | 'convertAgain'> {
  return {
    pull: () => withModel(parts, name, pull),
    verify: () => withModel(parts, name, verify),
    heal: () => withModel(parts, name, heal),
    convertAgain: () => withModel(parts, name, convertAgain)
  };
}

async function withModel(
  parts: RemedyParts,
  name: string,
  action: (parts: RemedyParts, model: ModelSummary) => Promise<void>
): Promise<void> {
  try {
    const model = (await parts.models.read()).find((other) => other.name === name);
    if (model) await action(parts, model);
  } catch (error) {
    sayFailed(parts.log, error);
  }
}
