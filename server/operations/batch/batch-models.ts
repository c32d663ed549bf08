import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../../shared/failure';
import type { PullEvent } from '../../../shared/job-events';
import type { RegisteredManifest } from '../../../shared/manifest/registered-manifest';
import { parseModelName } from '../../../shared/model-name';
import { soundModel } from '../generate/check';
import { findModel, type KnownModel } from '../models/known-models';
import { pullModel } from '../pull/pull-model';
import type { Services } from '../services';
import type { BatchFile } from './batch-file';
import type { PlannedModel } from './batch-plan';
import type { BatchItem } from './expand';

/** The models of a batch by the names that it calls them by. */
export type BatchModels = ReadonlyMap<string, KnownModel>;

/** Finds every model that items name. @throws Failure('unknown-model') with the place in the batch file */
export async function findModels(
  services: Services,
  items: readonly BatchItem[],
  file: Pick<BatchFile, 'placeOf'>
): Promise<BatchModels> {
  const models = new Map<string, KnownModel>();
  for (const { model: name, source } of items) {
    if (models.has(name)) continue;
    try {
      models.set(name, await findModel(services, name));
    } catch (error) {
      throw placed(error, file.placeOf(source.model));
    }
  }
  return models;
}

/**
 * The models that a job was begun with: as this machine knows them where it does, else as the job's record describes
 * them.
 * @throws Failure('checkpoint-differs') when a model of this machine asks for other files
 */
export async function plannedModels(
  services: Services,
  planned: Readonly<Record<string, PlannedModel>>
): Promise<BatchModels> {
  const models = new Map<string, KnownModel>();
  for (const [name, description] of Object.entries(planned)) {
    const known = await findModel(services, name).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'unknown-model') return modelOf(description);
      throw error;
    });
    if (!mayBeOf(known.manifest, description.digests)) throw otherModel(name);
    models.set(name, known);
  }
  return models;
}

/**
 * Whether what a manifest asks for can be files of certain digests, by their paths, as far as it says: the same model may
 * be described in another order, with other addresses, or without digests.
 */
function mayBeOf({ files }: RegisteredManifest, digests: PlannedModel['digests']): boolean {
  const names = new Set(files.map(({ filename }) => filename));
  return (
    names.size === Object.keys(digests).length &&
    files.every(
      ({ filename, sha256 }) => Object.hasOwn(digests, filename) && (sha256 ?? digests[filename]) === digests[filename]
    )
  );
}

function modelOf({ manifest, publication }: PlannedModel): KnownModel {
  const name = parseModelName(manifest.name);
  if (!name) throw new Error('a manifest names a model');
  return { name, manifest, ...(publication && { publication }) };
}

/** The models that are not installed. */
export async function missingModels(services: Services, models: BatchModels): Promise<readonly KnownModel[]> {
  const missing: KnownModel[] = [];
  for (const model of new Map([...models.values()].map((one) => [one.name, one])).values()) {
    if ((await services.survey.look(model.name)).kind === 'absent') missing.push(model);
  }
  return missing;
}

/** Pulls models one after the other. @throws Failure */
export async function pullMissing(
  services: Services,
  missing: readonly KnownModel[],
  options: { readonly signal: AbortSignal; readonly onEvent: (event: PullEvent) => void }
): Promise<void> {
  for (const model of missing) await pullModel(services, model, options);
}

/** What lies here of each model, to be written into the job's record. @throws Failure unless all are installed and sound */
export async function planModels(services: Services, models: BatchModels): Promise<Record<string, PlannedModel>> {
  const planned: [string, PlannedModel][] = [];
  for (const [name, model] of models) {
    const { manifest } = await soundModel(services, model);
    const digests = Object.fromEntries(manifest.files.map(({ path, sha256 }) => [path, sha256]));
    const { publication } = model;
    planned.push([name, { manifest: model.manifest, digests, ...(publication && { publication }) }]);
  }
  return Object.fromEntries(planned);
}

/**
 * The models as images are to be made with them: the defaults are those of the job's record, whatever a manifest says by
 * now, and the bytes are those of then.
 * @throws Failure('checkpoint-differs')
 */
export async function pinnedModels(
  services: Services,
  models: BatchModels,
  planned: Readonly<Record<string, PlannedModel>>
): Promise<BatchModels> {
  const here = await planModels(services, models);
  const pinned = new Map<string, KnownModel>();
  for (const [name, { manifest, digests }] of Object.entries(planned)) {
    const model = models.get(name);
    if (!model || !isDeepStrictEqual(here[name]?.digests, digests)) throw otherModel(name);
    pinned.set(name, { ...model, manifest });
  }
  return pinned;
}

function otherModel(name: string): Failure {
  return new Failure(
    'checkpoint-differs',
    `The model ${name} of this machine has other files than the batch began with.`,
    {
      subject: name,
      nextStep: 'Install the model that it began with, or begin anew with --restart.'
    }
  );
}

/** The same failure with the place in the batch file that it is about. */
export function placed(error: unknown, place: string): unknown {
  if (!(error instanceof Failure)) return error;
  const { code, message, nextStep, remedy } = error;
  return new Failure(code, message, {
    subject: place,
    remedy,
    cause: error,
    ...(nextStep !== undefined && { nextStep })
  });
}
