import { Failure } from '../../../shared/failure';
import type { ModelName } from '../../../shared/model-name';
import { inTurn } from '../../engine/queue';
import { sweepScratch } from '../../engine/scratch';
import { exists } from '../../platform/durable-files';
import { fileFailure } from '../../platform/system-error';
import { findEntry, withNewName } from '../../registry/registry-state';
import { nameTaken } from '../../store/rename-bundle';
import type { Services } from '../services';
import { requireTrust } from '../trust';

/** The names of a model. */
export interface NewName {
  readonly name: ModelName;
  readonly to: ModelName;
}

type Disk = Pick<Services, 'registry' | 'layout'>;

/** Whether the registry or the disk has an installation of that name. */
export async function isInstalledAs({ registry, layout }: Disk, name: ModelName): Promise<boolean> {
  return findEntry(await registry.read(), name)?.installed !== undefined || exists(layout.model(name));
}

/**
 * Gives an installed model another name: its folder, its manifest in there, and the registry. Images keep the name that
 * it had when they were made. The manifest that it was pulled by is its author's, and is not touched.
 * @throws Failure when the workspace is not trusted, a job runs on the model, an engine runs, or the name is taken
 */
export async function renameModel(services: Services, { name, to }: NewName): Promise<void> {
  const { jobs, layout, residents, bundles } = services;
  requireTrust(services, 'Renaming an installed model');
  await jobs.run(name, 'being renamed', () =>
    jobs.run(to, 'being named so', async () => {
      if (await isInstalledAs(services, to)) throw nameTaken(to);
      await residents.unload(name);
      await whileNoEngineRuns(services, name, () =>
        bundles
          .rename(name, to, () => noteRenaming(services, { name, to }))
          .catch((error: unknown) => {
            throw fileFailure(error, `Renaming ${name} failed.`, layout.model(name));
          })
      );
    })
  );
}

/** Has the registry say the name that the bundle has now; nothing happens while it lies under the old one. */
export async function noteRenaming(
  { layout, registry, clock }: Pick<Services, 'layout' | 'registry' | 'clock'>,
  { name, to }: NewName
): Promise<void> {
  if (await exists(layout.model(name))) return;
  const folder = layout.model(to);
  await registry.change((models) => withNewName(models, { from: name, to, folder }, clock.now()));
}

/** An engine finds the files that it has not read yet by their paths, so nothing is moved under it. */
async function whileNoEngineRuns(
  { layout }: Pick<Services, 'layout'>,
  name: ModelName,
  work: () => Promise<void>
): Promise<void> {
  const waiting = new AbortController();
  const endOrphans = async (): Promise<void> => void (await sweepScratch(layout.scratch));
  const onPlace = (): void => waiting.abort();
  try {
    await inTurn({ folder: layout.queue, model: name, signal: waiting.signal, onPlace, endOrphans }, work);
  } catch (error) {
    if (!waiting.signal.aborted) throw error;
    throw new Failure('busy', `${name} cannot be renamed while images are being made.`, {
      subject: name,
      nextStep: 'Wait until that is done.'
    });
  }
}
