import { Failure } from '../../../shared/failure';
import { type ModelName, modelKey } from '../../../shared/model-name';
import type { HealResult } from '../../../shared/protocol';
import { type KnownModel, knownModels } from '../models/known-models';
import { pullModel } from '../pull/pull-model';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { type BundleAsFound, findBundle, type NoBundle } from './bundle-as-found';
import { type HealedFiles, type HealOptions, healFiles } from './heal-files';
import { notInstalled, rememberVerdicts, verifyModel } from './verify-model';

/**
 * Verifies an installed model and fetches again what is damaged or missing, from where the model came from; the
 * bundle is then replaced as a whole. Nothing that is right, or that nothing can be proved of, is fetched or removed.
 * What cannot be fetched stays as it is, and stays reported. Other models that share damaged bytes are healed too.
 * @throws Failure
 */
export async function healModel(services: Services, model: KnownModel, options: HealOptions): Promise<HealResult> {
  requireTrust(services, 'Healing models');
  const healing = await services.jobs.run(model.name, 'being healed', async () => {
    const found = await findBundle(services, model.name);
    return found.kind === 'present' ? healParts(services, model, found, options) : found;
  });
  if ('healed' in healing) return healRest(services, model, healing, options);
  if (healing.kind === 'absent' && !model.installed) throw notInstalled(model);
  return healWhole(services, model, healing, options);
}

/** The same, and the models that share what was damaged. */
interface Healing extends HealedFiles {
  readonly sharers: readonly KnownModel[];
}

const SOUND: HealedFiles = { healed: [], failures: [], transferredBytes: 0 };

/** Runs as the model's only job. */
async function healParts(
  services: Services,
  model: KnownModel,
  found: BundleAsFound,
  options: HealOptions
): Promise<Healing> {
  const damaged = await damagedFiles(services, model, options);
  const sharers = await sharersOf(services, model, damaged);
  // What is loaded are the files that are about to be replaced.
  if (damaged.size > 0) await services.residents.unload(model.name);
  const files = damaged.size === 0 ? SOUND : await healFiles(services, model, found, damaged, options);
  return { ...files, sharers };
}

async function healRest(
  services: Services,
  model: KnownModel,
  { healed, failures, sharers, transferredBytes }: Healing,
  options: HealOptions
): Promise<HealResult> {
  const others: ModelName[] = [];
  for (const sharer of sharers) if (await relink(services, sharer, options)) others.push(sharer.name);
  const report = await verdictOn(services, model, options);
  const told = failures.map((failure) => failure.toJSON());
  return { model: model.name, healed, failures: told, others, transferredBytes, report };
}

/** Without its manifest nobody can say what of a bundle is right; contents that are in the store do not come again. */
async function healWhole(
  services: Services,
  model: KnownModel,
  bundle: NoBundle,
  options: HealOptions
): Promise<HealResult> {
  if (bundle.kind === 'unreadable' && bundle.why === 'newer') {
    throw new Failure('unhealthy-model', bundle.problem, { subject: model.name });
  }
  const { transferredBytes } = await pullModel(services, model, options);
  const healed = model.manifest.files.map(({ filename }) => filename);
  const report = await verdictOn(services, model, options);
  return { model: model.name, healed, failures: [], others: [], transferredBytes, report };
}

/** @returns paths of the files that are provably not what they should be */
async function damagedFiles(services: Services, model: KnownModel, options: HealOptions): Promise<ReadonlySet<string>> {
  const { files } = await verifyModel(services, model, { ...options, depth: 'deep' });
  return new Set(files.filter(({ verdict }) => verdict === 'corrupt').map(({ path }) => path));
}

async function verdictOn(services: Services, model: KnownModel, options: HealOptions) {
  const report = await verifyModel(services, model, { ...options, depth: 'deep' });
  await rememberVerdicts(services, [report]);
  return report;
}

/** Other installed models that have the same damaged bytes, by hard links to them. */
async function sharersOf(
  services: Services,
  model: KnownModel,
  damaged: ReadonlySet<string>
): Promise<readonly KnownModel[]> {
  if (damaged.size === 0) return [];
  const sharers: KnownModel[] = [];
  const own = await digestsOf(services, model.name, (path) => damaged.has(path));
  for (const other of await knownModels(services)) {
    if (modelKey(other.name) === modelKey(model.name)) continue;
    const theirs = await digestsOf(services, other.name, (_, problem) => problem !== undefined);
    if ([...theirs].some((digest) => own.has(digest))) sharers.push(other);
  }
  return sharers;
}

async function digestsOf(
  { survey }: Services,
  name: ModelName,
  counts: (path: string, problem: string | undefined) => boolean
): Promise<ReadonlySet<string>> {
  const bundle = await survey.look(name);
  if (bundle.kind !== 'present') return new Set();
  return new Set(
    bundle.files
      .filter(({ file, problem, isInaccessible }) => !isInaccessible && counts(file.path, problem))
      .map(({ file }) => file.sha256)
  );
}

/**
 * Gives another model the bytes that were fetched for the healed one: they are in the store now.
 * @returns whether it is healed; else it stays as it is, and is shown as damaged
 */
async function relink(services: Services, model: KnownModel, options: HealOptions): Promise<boolean> {
  try {
    return await services.jobs.run(model.name, 'being healed', async () => {
      const found = await findBundle(services, model.name);
      if (found.kind !== 'present') return false;
      const broken = found.bundle.files.filter(
        ({ problem, isInaccessible }) => problem !== undefined && !isInaccessible
      );
      const paths = new Set(broken.map(({ file }) => file.path));
      const { failures } = await healFiles(services, model, found, paths, options);
      await services.survey.look(model.name);
      return failures.length === 0;
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    services.log.warn('not healed', { model: model.name, reason: error.message });
    return false;
  }
}
