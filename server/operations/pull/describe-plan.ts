import type { PlannedPull } from '../../../shared/planned-pull';
import { lacksSpace, type PullPlan } from '../../pull/pull-plan';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';

/** A plan as plain data, for those who show it. */
export function describePlan({ layout }: Pick<Services, 'layout'>, { name }: KnownModel, plan: PullPlan): PlannedPull {
  const { totalBytes, missingBytes, neededBytes, freeBytes } = plan;
  const files = plan.files.map(({ filename, likelyBytes, presence, heldBytes, source }) => {
    return { path: filename, bytes: likelyBytes, presence, heldBytes, source: source.label };
  });
  return {
    model: name,
    files,
    totalBytes,
    missingBytes,
    neededBytes,
    freeBytes: freeBytes ?? null,
    fits: !lacksSpace(plan),
    folder: layout.model(name)
  };
}
