import { pathToFileURL } from 'node:url';
import { messageOf } from '../../../shared/failure';
import { collisionKey } from '../../../shared/file-name';
import type { ModelFile, ModelSummary } from '../../../shared/model';
import { type ModelName, modelKey } from '../../../shared/model-name';
import { type FoundPartial, findPartials } from '../../pull/partial/find-partials';
import {
  modelFiles,
  modelStatus,
  type StatusWithReason,
  stampedFiles,
  stampedStatus
} from '../../registry/model-status';
import type { BundleState } from '../../store/bundle-state';
import type { CacheLayout } from '../../store/cache-layout';
import type { BrokenManifest } from '../manifests/manifests-in-view';
import { unfinishedPull } from '../pull/partials-of';
import type { Services } from '../services';
import { type KnownModel, knownModels } from './known-models';

type Parts = Pick<Services, 'registry' | 'manifestsInView' | 'layout' | 'survey' | 'log' | 'environment'>;

/**
 * So many bundles are looked at before a list is shown. When there are more, those that were never looked at are shown
 * as the registry remembers them, the others as they were at the last look, and all are looked at afterwards.
 */
const LOOKED_AT_FIRST = 100;

/**
 * Every known model with its status; no digest is computed.
 * @param onLater called when a look at many bundles after the answer showed something else than the answer
 */
export async function listModels(services: Parts, onLater?: () => void): Promise<readonly ModelSummary[]> {
  const { survey } = services;
  const [models, present, partials, broken] = await Promise.all([
    knownModels(services),
    survey.present(),
    findPartials(services.layout.partials),
    services.manifestsInView.broken()
  ]);
  const there = models.filter(({ name }) => present.has(modelKey(name)));
  const isExact = there.length <= LOOKED_AT_FIRST;
  const unclear = isExact ? there : there.filter((model) => !isClear(services, model));
  await survey.lookAt(unclear.map(({ name }) => name));
  const summaries = await Promise.all(
    models.map((model) =>
      withUnfinished(services, model, summarise(services, model, present.has(modelKey(model.name))), partials)
    )
  );
  if (!isExact && onLater) {
    const later = survey.lookInBackground(there.map(({ name }) => name));
    later.then(
      (changed) => changed && onLater(),
      (error: unknown) => services.log.warn('failed look at bundles', { reason: messageOf(error) })
    );
  }
  return withBroken(summaries, broken);
}

/** A manifest with mistakes is shown too, unless the registry knows the model from a time when it had none. */
function withBroken(summaries: readonly ModelSummary[], broken: readonly BrokenManifest[]): readonly ModelSummary[] {
  if (broken.length === 0) return summaries;
  const all = summaries.map((summary) => ({ key: collisionKey(summary.name), summary }));
  const known = new Set(all.map(({ key }) => key));
  for (const { name, path, problem } of broken) {
    const key = collisionKey(name);
    const manifestUri = pathToFileURL(path).href;
    const summary: ModelSummary = { name, status: 'invalid', reason: problem, files: [], manifestUri };
    if (!known.has(key)) all.push({ key, summary });
  }
  return all
    .toSorted((one, other) => (one.key < other.key ? -1 : Number(one.key > other.key)))
    .map((row) => row.summary);
}

/**
 * One model with its status, without a look at what was received of it; undefined when nobody knows a model of that
 * name.
 */
export async function summariseModel(services: Parts, name: ModelName): Promise<ModelSummary | undefined> {
  const models = await knownModels(services);
  const model = models.find((known) => modelKey(known.name) === modelKey(name));
  if (!model) return undefined;
  const bundle = await services.survey.look(model.name);
  return summarise(services, model, bundle.kind !== 'absent');
}

/** A model that is not installed is shown with what was received of it. */
async function withUnfinished(
  services: Parts,
  { manifest }: KnownModel,
  summary: ModelSummary,
  partials: readonly FoundPartial[]
): Promise<ModelSummary> {
  if (summary.status === 'installed') return summary;
  const unfinished = await unfinishedPull(services, manifest, partials);
  return unfinished ? { ...summary, unfinished } : summary;
}

/** Whether the status of an installed model can be told without a look at its bundle. */
function isClear({ survey }: Parts, { name, manifest, installed }: KnownModel): boolean {
  return survey.lastLook(name) !== undefined || stampedStatus(manifest, installed) !== undefined;
}

/** One model with its status; the same answer as before while nothing that it rests on is another. */
function summarise({ layout, survey }: Parts, model: KnownModel, isPresent: boolean): ModelSummary {
  const bundle = isPresent ? survey.lastLook(model.name) : ABSENT;
  const last = summaries.get(model);
  if (last && last.bundle === bundle) return last.summary;
  const summary = summaryOf(layout, model, bundle);
  summaries.set(model, { bundle, summary });
  return summary;
}

/** Lists ask for the same summaries again and again. */
const summaries = new WeakMap<
  KnownModel,
  { readonly bundle: BundleState | undefined; readonly summary: ModelSummary }
>();

const ABSENT: BundleState = { kind: 'absent' };

/** @param bundle undefined when it is there, but was not looked at */
function summaryOf(layout: CacheLayout, model: KnownModel, bundle: BundleState | undefined): ModelSummary {
  const { name, manifest, manifestPath, conversion } = model;
  const { files, bytes, checkedAt, ...status } = bundle ? seen(model, bundle) : remembered(model);
  return {
    name,
    ...status,
    files,
    ...(manifest.task !== undefined && { task: manifest.task }),
    ...(bytes !== undefined && { bytes }),
    ...(conversion && { madeHere: conversion }),
    ...(conversion && status.status === 'missing' && { reason: 'The installed files are gone; convert again.' }),
    ...(manifestPath !== undefined && { manifestUri: pathToFileURL(manifestPath).href }),
    ...(checkedAt !== undefined && { checkedAt }),
    ...(bundle !== ABSENT && { folder: layout.model(name) })
  };
}

interface Findings extends StatusWithReason {
  readonly files: readonly ModelFile[];
  readonly bytes: number | undefined;
  readonly checkedAt: number | undefined;
}

function seen({ manifest, installed }: KnownModel, bundle: BundleState): Findings {
  const files = modelFiles(manifest, bundle);
  const sizes = files.map(({ bytes }) => bytes);
  const bytes =
    bundle.kind === 'present'
      ? bundle.manifest.total_size_bytes
      : sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0);
  return { ...modelStatus(manifest, bundle, installed !== undefined), files, bytes, checkedAt: allRightAt(bundle) };
}

/** What the registry remembers; {@link isClear} was asked before. */
function remembered({ manifest, installed }: KnownModel): Findings {
  const status = stampedStatus(manifest, installed) ?? { status: 'registered' };
  const verdict = installed?.verdict;
  const checkedAt = verdict?.problem === undefined ? verdict?.checked_at_unix_ms : undefined;
  return { ...status, files: stampedFiles(manifest, status), bytes: installed?.cache_size_bytes, checkedAt };
}

/** Since when all bytes of a bundle are known to be right. */
function allRightAt(bundle: BundleState): number | undefined {
  if (bundle.kind !== 'present' || bundle.problems.length > 0 || bundle.files.length === 0) return undefined;
  const times = bundle.files.map(({ provedAt }) => provedAt ?? Number.NaN);
  const earliest = Math.min(...times);
  return Number.isNaN(earliest) ? undefined : earliest;
}
