import type { PublishParams, PublishProgress, PublishResult } from '../../../shared/publication';
import type { ObjectStore } from '../../artifacts/object-store';
import { publishArtifact } from '../../artifacts/publications/publish-artifact';
import { bytesOf } from '../../artifacts/publications/upload-attempt';
import { fileFailure } from '../../platform/system-error';
import { Throttle } from '../../platform/throttle';
import { relyOn } from '../../store/reliance';
import { findModel, type KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { artifactOfBundle } from './bundle-artifact';
import { openStore } from './open-store';
import { soundBundle } from './sound-bundle';

export interface PublishOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PublishProgress) => void;
}

/**
 * Publishes what is installed of a model: verifies it, puts its files where nobody looks yet, and makes them the
 * publication of its name at once. What the store has is not sent again, and the same content changes nothing.
 * @throws Failure; readers then have what was published before
 */
export async function publishModel(
  services: Services,
  params: PublishParams,
  { signal, onProgress }: PublishOptions
): Promise<PublishResult> {
  requireTrust(services, 'Publishing models');
  const model = await findModel(services, params.name);
  const store = await openStore(services, params.store);
  const throttle = new Throttle(onProgress);
  const report: Report = (phase, bytes, total) =>
    throttle.offer({ model: model.name, store: store.label, phase, bytes, total });
  try {
    return await services.jobs.run(model.name, 'being published', () =>
      publish(services, model, store, { signal, report })
    );
  } catch (error) {
    throw fileFailure(error, `Publishing ${model.name} failed.`, services.layout.model(model.name));
  } finally {
    throttle.stop();
  }
}

type Report = (phase: PublishProgress['phase'], bytes: number, total: number) => void;

interface Publishing {
  readonly signal: AbortSignal;
  readonly report: Report;
}

async function publish(
  services: Services,
  model: KnownModel,
  store: ObjectStore,
  { signal, report }: Publishing
): Promise<PublishResult> {
  const { name } = model;
  const { layout, clock, log } = services;
  const installed = await soundBundle(services, model, {
    signal,
    onProgress: ({ hashedBytes, totalBytes }) => report('checking', hashedBytes, totalBytes)
  });
  const digests = installed.files.map(({ sha256 }) => sha256);
  return relyOn(layout, { digests, open: false }, async () => {
    const contents = await artifactOfBundle(layout, name, installed);
    const total = bytesOf(contents);
    const published = await publishArtifact(store, name, contents, {
      holds: 'model',
      now: clock.now,
      log,
      signal,
      onProgress: (phase, bytes) => report(phase, bytes, total)
    });
    return { model: name, store: store.label, bytes: total, ...published };
  });
}
