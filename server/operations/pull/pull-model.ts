import { Failure, messageOf } from '../../../shared/failure';
import type { PullEvent } from '../../../shared/job-events';
import type { InstalledFile, InstalledManifest } from '../../../shared/manifest/installed-manifest';
import type { RegisteredManifest } from '../../../shared/manifest/registered-manifest';
import type { PullResult } from '../../../shared/protocol';
import type { Clock } from '../../platform/clock';
import { fileFailure } from '../../platform/system-error';
import type { WantedFile } from '../../pull/expected-file';
import type { OnWait } from '../../pull/http/origin-waits';
import type { PulledFile, PullOptions } from '../../pull/pull-engine';
import type { PullPlan } from '../../pull/pull-plan';
import { contentKey, type InstallationStamp, stampOf, withStamp } from '../../registry/registry-state';
import type { BundleContent, InstallOptions } from '../../store/bundle-store';
import { requireNothingForeign } from '../../store/foreign-files';
import { relyOn } from '../../store/reliance';
import type { KnownModel } from '../models/known-models';
import { register } from '../models/register-model';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { type Origins, wantedFiles } from './wanted-files';

export interface PullModelOptions extends Origins {
  readonly signal: AbortSignal;
  readonly onEvent: (event: PullEvent) => void;
  /** Says what is to be installed once all files are in the store, where their contents tell more of them. */
  readonly onArrived?: OnArrived | undefined;
}

type OnArrived = (files: readonly PulledFile[]) => Promise<KnownModel>;

/**
 * Pulls a model: brings its files into the store, installs the bundle, and stamps the registry. A bundle that was
 * there before stays in place until the new one is complete.
 * @throws Failure; the events end with `completed` or `failed` either way
 */
export async function pullModel(
  services: Services,
  model: KnownModel,
  { signal, onEvent, onArrived, ...origins }: PullModelOptions
): Promise<PullResult> {
  requireTrust(services, 'Pulling models');
  return services.jobs.run(model.name, 'being pulled', async () => {
    const startedAt = services.clock.elapsed();
    try {
      const result = await services.runningPulls.run(model.name, (pause) =>
        pullAndInstall(services, model, origins, { signal, onEvent, pause, onArrived })
      );
      onEvent({ type: 'completed', ...result, milliseconds: Math.round(services.clock.elapsed() - startedAt) });
      return result;
    } catch (thrown) {
      const error = fileFailure(thrown, `Installing ${model.name} failed.`, services.layout.root);
      const failure =
        error instanceof Failure ? error.toJSON() : { code: 'unexpected' as const, message: messageOf(error) };
      onEvent({ type: 'failed', model: model.name, failure });
      throw error;
    }
  });
}

export interface PlanOptions extends Origins {
  /** Hears of waits that servers ask for. */
  readonly onEvent?: PullModelOptions['onEvent'];
}

/** Says what pulling a model would do: sizes, what is here already, what remains. Nothing is transferred. */
export async function planModel(
  services: Services,
  model: KnownModel,
  signal: AbortSignal,
  { onEvent = () => undefined, ...origins }: PlanOptions = {}
): Promise<PullPlan> {
  requireTrust(services, 'Asking where models come from');
  const onWait = waitEvents(model.name, services.clock, onEvent);
  return services.pulls.plan(await wantedFiles(services, model, { ...origins, onWait }), signal);
}

type InstallingOptions = PullOptions & Pick<PullModelOptions, 'onArrived'>;

async function pullAndInstall(
  services: Services,
  model: KnownModel,
  origins: Origins,
  options: InstallingOptions
): Promise<PullResult> {
  await requireReplaceable(services, model);
  // What is loaded are the files that are about to be replaced.
  await services.residents.unload(model.name);
  const onWait = waitEvents(model.name, services.clock, options.onEvent);
  const wanted = await wantedFiles(services, model, { ...origins, onWait });
  const digests = wanted.flatMap(({ digest }) => digest ?? []);
  return relyOn(services.layout, { digests, open: digests.length < wanted.length }, () =>
    bringAndInstall(services, model, wanted, options)
  );
}

/** Installing takes away what lies in the place of the model. */
function requireReplaceable({ layout }: Services, { name, manifest }: KnownModel): Promise<void> {
  return requireNothingForeign(
    layout.model(name),
    manifest.files.map(({ filename }) => filename)
  );
}

async function bringAndInstall(
  services: Services,
  wantedModel: KnownModel,
  wanted: readonly WantedFile[],
  { onArrived, ...options }: InstallingOptions
): Promise<PullResult> {
  const { name } = wantedModel;
  const registered = await register(services, wantedModel);
  const { files, transferredBytes } = await services.pulls.pull(name, wanted, options);
  const model = onArrived ? await onArrived(files) : wantedModel;
  const stamp = onArrived ? await register(services, model) : registered;
  const { manifest } = model;
  const installed = installedManifest(manifest, files, services.clock.now());
  const contents = files.map(({ filename, blob }) => ({ path: filename, blob }));
  const result = { model: name, bytes: installed.total_size_bytes, transferredBytes };
  const content_key = contentKey(manifest);
  const isHeld = stamp !== undefined && (await services.bundles.holds(name, contents, installed));
  if (isHeld && stamp.content_key === content_key && stamp.verdict?.problem === undefined) return result;
  // What is held was proved a moment ago, whatever an earlier verification found.
  const remember = (installation: InstallationStamp) =>
    services.registry.change((models) => withStamp(models, name, installation, services.clock.now()));
  if (isHeld) await remember({ ...stamp, content_key, verdict: undefined });
  else {
    const onInstalled = () => remember(stampOf(services.layout.model(name), installed, content_key));
    await replaceBundle(services, model, contents, installed, { onInstalled, signal: options.signal });
  }
  return result;
}

async function replaceBundle(
  services: Services,
  model: KnownModel,
  contents: readonly BundleContent[],
  manifest: InstalledManifest,
  options: InstallOptions
): Promise<void> {
  // The transfer may have taken hours.
  await requireReplaceable(services, model);
  await services.bundles.install(model.name, contents, manifest, options);
}

/** Tells each wait once, although every connection to the server waits. */
function waitEvents(model: string, { now }: Clock, onEvent: PullOptions['onEvent']): OnWait {
  const until = new Map<string, number>();
  return (host, milliseconds) => {
    const end = now() + milliseconds;
    // Connections that wait for the same end hear of it some ms apart.
    if (end - (until.get(host) ?? 0) < 1000) return;
    until.set(host, end);
    onEvent({ type: 'waiting', model, host, seconds: milliseconds / 1000 });
  };
}

/** The manifest that goes into the bundle: what lies there now, and what the engine needs to know of it. */
function installedManifest(source: RegisteredManifest, pulled: readonly PulledFile[], now: number): InstalledManifest {
  const roles = new Map(source.files.map(({ filename, role }) => [filename, role]));
  const files = pulled.map(({ filename, blob, digestOrigin }): InstalledFile => {
    const role = roles.get(filename);
    return {
      path: filename,
      sha256: blob.digest,
      size_bytes: blob.bytes,
      ...(role && { role }),
      digest_origin: digestOrigin
    };
  });
  return {
    name: source.name,
    source: source.source ?? '',
    revision: source.revision ?? '',
    task: source.task ?? '',
    engine: source.engine ?? '',
    dimensions: 0,
    installed_at_unix_ms: now,
    total_size_bytes: files.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ...(source.defaults && { defaults: source.defaults }),
    ...(source.license !== undefined && { license: source.license })
  };
}
