import { fileFailure } from '../../platform/system-error';
import { withoutEntry, withStamp } from '../../registry/registry-state';
import { requireNothingForeign } from '../../store/foreign-files';
import type { Services } from '../services';
import type { KnownModel } from './known-models';

/**
 * Removes the installed files of a model; nothing happens when none are there.
 * @param forget whether its registry entry goes too; else the model stays known by its name
 * @throws Failure when files that somebody laid beside the model's would go with them
 */
export async function dropModel(
  services: Services,
  { name, manifest }: KnownModel,
  { forget = false }: { readonly forget?: boolean } = {}
): Promise<void> {
  await services.jobs.run(name, 'being removed', async () => {
    await services.residents.unload(name);
    await requireNothingForeign(
      services.layout.model(name),
      manifest.files.map(({ filename }) => filename)
    );
    const onDropped = () =>
      services.registry.change((models) =>
        forget ? withoutEntry(models, name) : withStamp(models, name, undefined, services.clock.now())
      );
    await services.bundles.drop(name, { forget, onDropped }).catch((error: unknown) => {
      throw fileFailure(error, `Removing ${name} failed.`, services.layout.model(name));
    });
  });
}
