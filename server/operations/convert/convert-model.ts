import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { byteText } from '../../../shared/byte-text';
import type { ConversionResult } from '../../../shared/conversion';
import { Failure } from '../../../shared/failure';
import type { PullEvent } from '../../../shared/job-events';
import { type ModelName, modelKey } from '../../../shared/model-name';
import { convertArguments } from '../../engine/arguments/convert-arguments';
import { runEngine } from '../../engine/run';
import { type Scratch, withScratch } from '../../engine/scratch';
import { freeThreads } from '../../engine/threads';
import { freeBytes } from '../../platform/disk-space';
import { lacksRoom } from '../../pull/disk-room';
import { partialKey, removeAbandoned } from '../../pull/partial/partial-folders';
import { modelStatus } from '../../registry/model-status';
import { type ConversionOrigin, withoutEntry } from '../../registry/registry-state';
import { type EngineInUse, engineInUse } from '../engine/engine-in-use';
import { inspectImage } from '../gallery/inspect-image';
import { type SoundModel, soundModel } from '../generate/check';
import type { GenerateOptions } from '../generate/generate-options';
import { whenItsTurn } from '../generate/turn';
import { type KnownModel, knownModels } from '../models/known-models';
import { pullModel } from '../pull/pull-model';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { type ConversionPlan, type ConversionWish, convertedManifest, planConversion } from './conversion-plan';
import { requireConverted } from './converted-file';
import { isMadeHere } from './made-here';

/** What somebody who waits for a conversion hears and may do. */
export interface ConvertOptions extends Pick<GenerateOptions, 'signal' | 'onProgress' | 'timeLimitMinutes'> {
  /** Hears how the new model is installed. */
  readonly onEvent?: (event: PullEvent) => void;
}

/**
 * Makes a new model of an installed one: files with weights are stored in another type by the engine, the others are
 * shared. The new model is installed as any other is, or not at all; the old one stays as it is.
 * @throws Failure
 */
export async function convertModel(
  services: Services,
  known: KnownModel,
  wish: ConversionWish,
  options: ConvertOptions
): Promise<ConversionResult> {
  requireTrust(services, 'Converting models');
  return services.jobs.run(known.name, 'being converted', async () => {
    const startedAt = services.clock.elapsed();
    const model = await soundModel(services, known);
    const bundle = { folder: services.layout.model(known.name), files: model.files };
    const plan = planConversion(known, bundle, wish);
    await requireUnused(services, plan.name);
    await requireSpace(services, plan);
    const engine = await engineInUse(services, options);
    const job = { known, model, plan, wish, engine };
    services.log.info('starting conversion', { model: known.name, as: plan.name, type: wish.type.name });
    const { bytes, warnings } = await convertAndInstall(services, job, options);
    const milliseconds = Math.round(services.clock.elapsed() - startedAt);
    services.log.info('done conversion', { model: plan.name, bytes, ms: milliseconds });
    return {
      model: plan.name,
      from: known.name,
      type: wish.type.name,
      converted: plan.conversions.map(({ filename }) => filename),
      bytes,
      originalBytes: model.manifest.total_size_bytes,
      warnings,
      milliseconds
    };
  });
}

/** A conversion that can begin. */
interface Job {
  readonly known: KnownModel;
  readonly model: SoundModel;
  readonly plan: ConversionPlan;
  readonly wish: ConversionWish;
  readonly engine: EngineInUse;
}

async function convertAndInstall(
  services: Services,
  job: Job,
  options: ConvertOptions
): Promise<{ readonly bytes: number; readonly warnings: readonly string[] }> {
  const { known } = job;
  const { layout, log } = services;
  const onProblem = (sentence: string): void => log.warn(sentence);
  return withScratch(layout.scratch, onProblem, async (scratch) => {
    const warnings = await whenItsTurn(services, { model: known.name, request: {} }, options, () =>
      convertFiles(services, job, scratch, options)
    );
    options.onProgress({ model: known.name, phase: 'installing', image: 1, images: 1, fraction: 1 });
    return { bytes: await install(services, job, scratch, options), warnings };
  });
}

/** One after the other, each into a file of the scratch folder that is checked before the next. */
async function convertFiles(
  { pool, weights }: Services,
  { known, plan, wish: { type }, engine }: Job,
  scratch: Scratch,
  { signal, onProgress, timeLimitMinutes }: ConvertOptions
): Promise<readonly string[]> {
  const warnings = new Set<string>();
  for (const [index, { file }] of plan.conversions.entries()) {
    // Not all progress says how much is loaded.
    let loaded = 0;
    const { options, unsent } = convertArguments({
      file: file.path,
      type: type.name,
      abilities: engine.abilities,
      threads: await freeThreads(),
      output: outputOf(index)
    });
    const result = await runEngine({
      enginePath: engine.path,
      arguments: options,
      environment: engine.environment,
      scratch,
      output: outputOf(index),
      goal: { kind: 'file' },
      seed: 0,
      model: known.name,
      onProgress: (progress) => {
        loaded = Math.max(loaded, progress.loaded ?? 0);
        onProgress({ ...progress, fraction: (index + loaded) / plan.conversions.length });
      },
      timeLimitMinutes,
      readImage: (path) => inspectImage(pool, path, signal),
      signal
    });
    for (const warning of [...unsent, ...result.warnings]) warnings.add(warning);
    requireConverted(file, await weights.look(join(scratch.folder, outputOf(index))), type);
  }
  return [...warnings];
}

/** @returns bytes of the new model */
async function install(
  services: Services,
  { known, plan, wish: { type }, engine }: Job,
  scratch: Scratch,
  { signal, onEvent = () => undefined }: ConvertOptions
): Promise<number> {
  const { layout } = services;
  const { name } = plan;
  const conversion = {
    from: known.name,
    type: type.name,
    engine: engine.abilities.version,
    files: plan.conversions.map(({ filename }) => filename)
  };
  const manifest = convertedManifest(known, plan, { folder: layout.model(name), conversion });
  const converted = plan.conversions.map(
    ({ filename }, index) => [filename, join(scratch.folder, outputOf(index))] as const
  );
  const kept = plan.kept.map((path) => [path, join(layout.model(known.name), path)] as const);
  try {
    // It may have taken hours, and somebody may have used the name meanwhile.
    await requireUnused(services, name);
    const { bytes } = await pullModel(
      services,
      { name, manifest, conversion },
      { from: new Map([...converted, ...kept]), signal, onEvent }
    );
    return bytes;
  } catch (error) {
    await forgetUninstalled(services, name, conversion);
    for (const [, path] of converted) await removeAbandoned(layout.partials, partialKey(path));
    throw error;
  }
}

/** Names of users' files are none for the engine, which counts with "%d" in them. */
function outputOf(index: number): string {
  return `converted-${index}.gguf`;
}

/** A model that could not be installed cannot be pulled either: nobody else has its files. */
async function forgetUninstalled(
  { registry, survey }: Services,
  name: ModelName,
  made: ConversionOrigin
): Promise<void> {
  if ((await survey.look(name)).kind !== 'absent') return;
  await registry.change((models) =>
    models.some(({ manifest, conversion }) => manifest.name === name && isDeepStrictEqual(conversion, made))
      ? withoutEntry(models, name)
      : models
  );
}

/** @throws Failure unless nothing has the name, or only what is left of a conversion that was removed or got damaged */
async function requireUnused(services: Services, name: ModelName): Promise<void> {
  const other = (await knownModels(services)).find((known) => modelKey(known.name) === modelKey(name));
  if (!other) return;
  const { status } = modelStatus(other.manifest, await services.survey.look(other.name), true);
  if (status !== 'installed' && isMadeHere(other)) return;
  throw new Failure('bad-request', `There is a model named ${other.name} already.`, {
    subject: 'as',
    nextStep: 'Say another name for the new model.'
  });
}

/** What is written lies in the scratch folder first, and where no file can be cloned a second time in the store. */
async function requireSpace({ layout, ...services }: Services, { conversions }: ConversionPlan): Promise<void> {
  const free = await (services.freeBytes ?? freeBytes)(layout.root);
  const needed = 2 * conversions.reduce((sum, { likelyBytes }) => sum + likelyBytes, 0);
  if (free === undefined || !lacksRoom(needed, free)) return;
  throw new Failure(
    'disk-full',
    `The conversion needs about ${byteText(needed)} and 1 GiB to spare; ${byteText(free)} are free.`,
    { subject: layout.root, nextStep: 'Free some space, or move the cache to another disk.' }
  );
}
