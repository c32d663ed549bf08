import { join } from 'node:path';
import { Failure, messageOf } from '../../shared/failure';
import type { PullEvent, VerifyProgress } from '../../shared/job-events';
import type { InstalledFile } from '../../shared/manifest/installed-manifest';
import { type ModelName, modelKey } from '../../shared/model-name';
import type { HealResult } from '../../shared/protocol';
import type { WantedFile } from '../pull/expected-file';
import type { PullOptions } from '../pull/pull-engine';
import type { BundleContent } from '../store/bundle-store';
import { requireNothingForeign } from '../store/foreign-files';
import { relyOn } from '../store/reliance';
import { type BundleAsFound, findBundle, type NoBundle, requireAsFound } from './bundle-as-found';
import { type KnownModel, knownModels } from './known-models';
import { pullModel } from './pull-model';
import type { Services } from './services';
import { sourceOf } from './source-of';
import { requireTrust } from './trust';
import { notInstalled, rememberVerdicts, verifyModel } from './verify-model';

export interface HealOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly onEvent: (event: PullEvent) => void;
}

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

/** What was done to a bundle, and the models that share what was damaged. */
interface Healing {
  readonly healed: ReadonlySet<string>;
  readonly sharers: readonly KnownModel[];
  readonly transferredBytes: number;
}

/** Runs as the model's only job. */
async function healParts(
  services: Services,
  model: KnownModel,
  found: BundleAsFound,
  options: HealOptions
): Promise<Healing> {
  const damaged = await damagedFiles(services, model, options);
  const sharers = await sharersOf(services, model, damaged);
  const transferredBytes = damaged.size === 0 ? 0 : await healFiles(services, model, found, damaged, options);
  return { healed: damaged, sharers, transferredBytes };
}

async function healRest(
  services: Services,
  model: KnownModel,
  { healed, sharers, transferredBytes }: Healing,
  options: HealOptions
): Promise<HealResult> {
  const others: ModelName[] = [];
  for (const sharer of sharers) if (await relink(services, sharer, options)) others.push(sharer.name);
  const report = await verdictOn(services, model, options);
  return { model: model.name, healed: [...healed], others, transferredBytes, report };
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
  return { model: model.name, healed, others: [], transferredBytes, report: await verdictOn(services, model, options) };
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

/** @returns bytes that were transferred */
async function healFiles(
  services: Services,
  model: KnownModel,
  found: BundleAsFound,
  damaged: ReadonlySet<string>,
  { signal, onEvent }: HealOptions
): Promise<number> {
  const { name } = model;
  const { manifest } = found.bundle;
  const paths = manifest.files.map(({ path }) => path);
  await requireNothingForeign(services.layout.model(name), paths);
  const startedAt = services.clock.now();
  try {
    const wanted = await Promise.all(
      manifest.files.filter(({ path }) => damaged.has(path)).map((file) => wantedFile(services, model, file))
    );
    const reliance = { digests: manifest.files.map(({ sha256 }) => sha256), open: false };
    const { transferredBytes } = await services.runningPulls.run(name, (pause) =>
      relyOn(services.layout, reliance, () =>
        fetchAndInstall(services, name, found, wanted, { signal, onEvent, pause })
      )
    );
    const milliseconds = services.clock.now() - startedAt;
    onEvent({ type: 'completed', model: name, bytes: manifest.total_size_bytes, transferredBytes, milliseconds });
    return transferredBytes;
  } catch (error) {
    const failure =
      error instanceof Failure ? error.toJSON() : { code: 'unexpected' as const, message: messageOf(error) };
    onEvent({ type: 'failed', model: name, failure });
    throw error;
  }
}

async function fetchAndInstall(
  services: Services,
  name: ModelName,
  found: BundleAsFound,
  wanted: readonly WantedFile[],
  options: PullOptions
): Promise<{ readonly transferredBytes: number }> {
  const { files, transferredBytes } = await services.pulls.pull(name, wanted, options);
  const fetched = new Map(files.map(({ filename, blob }) => [filename, blob]));
  const { manifest } = found.bundle;
  const folder = services.layout.model(name);
  const contents = manifest.files.map(({ path, sha256, size_bytes }): BundleContent => {
    const own = { path: join(folder, path), digest: sha256, bytes: size_bytes };
    return { path, blob: fetched.get(path) ?? own };
  });
  const kept = contents.flatMap(({ path }) => (fetched.has(path) ? [] : path));
  await requireAsFound(services, name, found, kept);
  await services.bundles.install(name, contents, manifest, found.stamp);
  return { transferredBytes };
}

/** @throws Failure when the manifest of the model no longer tells where to find what is installed */
async function wantedFile(
  services: Services,
  { name, manifest }: KnownModel,
  { path, sha256, size_bytes }: InstalledFile
): Promise<WantedFile> {
  const source = manifest.files.find(({ filename }) => filename === path);
  if (!source || (source.sha256 !== undefined && source.sha256 !== sha256)) {
    throw new Failure('outdated-model', `The manifest of ${name} no longer tells where to find this ${path}.`, {
      subject: name,
      nextStep: 'Pull the model to replace it by what the manifest asks for now.'
    });
  }
  return {
    filename: path,
    source: await sourceOf(services, source, { alias: manifest.credential_alias }),
    digest: sha256,
    bytes: size_bytes,
    pieces: source.pieces,
    seeds: [join(services.layout.model(name), path)]
  };
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
      await healFiles(services, model, found, new Set(broken.map(({ file }) => file.path)), options);
      await services.survey.look(model.name);
      return true;
    });
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    services.log.warn('not healed', { model: model.name, reason: error.message });
    return false;
  }
}
