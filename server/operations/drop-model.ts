import { withStamp } from '../registry/registry-state';
import type { KnownModel } from './known-models';
import type { Services } from './services';

/** Removes the installed files of a model; its registry entry stays. Nothing happens when none are there. */
export async function dropModel(services: Services, { name }: KnownModel): Promise<void> {
  await services.jobs.run(name, 'being removed', async () => {
    await services.bundles.drop(name);
    await services.registry.change((models) => withStamp(models, name, undefined, services.clock.now()));
  });
}
