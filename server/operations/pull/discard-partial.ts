import { findPartials } from '../../pull/partial/find-partials';
import { removeAbandoned } from '../../pull/partial/partial-folders';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { abandonedKeys } from './partials-of';

/** Removes what was received of a model that is not complete; what another process is working on stays. */
export async function discardPartial(services: Services, { name, manifest }: KnownModel): Promise<void> {
  await services.jobs.run(name, 'being cleared of its partial download', async () => {
    const { partials } = services.layout;
    for (const key of abandonedKeys(services, manifest, await findPartials(partials))) {
      await removeAbandoned(partials, key);
    }
  });
}
