import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Digest, parseDigest } from '../../../shared/digest';
import type { EngineInstallation, EngineInstallProgress, EngineOrigin, EngineVariant } from '../../../shared/engine';
import { Failure, messageOf } from '../../../shared/failure';
import { PATH_VARIABLE } from '../../engine/find';
import { type FetchedArchive, installArchives } from '../../engine/install/install-archives';
import { collectVersions, type InstalledEngine, type VersionRecord } from '../../engine/install/installed-engines';
import type { Offer } from '../../engine/install/offers';
import { isFileAddress, type ReleaseAsset } from '../../engine/install/release-list';
import { type Claim, tryClaim } from '../../platform/claims';
import { freeBytes } from '../../platform/disk-space';
import { fileFailure } from '../../platform/system-error';
import { Throttle } from '../../platform/throttle';
import { httpSource } from '../../pull/http/http-source';
import { fileSource } from '../../pull/local/file-source';
import type { FetchedFile } from '../../pull/receive-file';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { locateEngine } from './engine-in-use';
import { findOffers, type ReleaseQuery } from './engine-releases';
import { describeInstalled } from './engine-status';

export interface EngineOrder extends ReleaseQuery {
  /** Absent: the one that fits the machine best. */
  readonly variant?: EngineVariant | undefined;
  /** SHA-256 of the archives in the order of the offer, as the user knows them. */
  readonly digests?: readonly string[];
  /** Whether an archive may be installed that nothing proves. */
  readonly allowUnverified?: boolean;
}

export interface InstallEngineOptions {
  readonly signal: AbortSignal;
  readonly onChosen?: (offer: Offer) => void;
  readonly onProgress: (progress: EngineInstallProgress) => void;
}

/**
 * Installs a build of the engine: chosen for this machine, fetched by its digest, looked at, tried, and only then put in
 * the place of the one before, which stays to go back to.
 * @throws Failure; nothing has changed then but what was received, which the next try goes on with
 */
export async function installEngine(
  services: Services,
  order: EngineOrder,
  { signal, onChosen, onProgress }: InstallEngineOptions
): Promise<EngineInstallation> {
  requireTrust(services, 'Installing an engine');
  const claim = await claimInstallation(services);
  try {
    const offer = chosenOffer(await findOffers(services, order, signal), order.variant);
    onChosen?.(offer);
    const proved = provedArchives(offer, order);
    services.log.info('starting engine installation', { release: offer.release, variant: offer.variant });
    const installed = await fetchAndInstall(services, offer, proved, { signal, onProgress });
    await removeOldVersions(services);
    services.log.info('done engine installation', { release: offer.release, version: installed.record.version });
    return { installed: describeInstalled(installed), hiddenBy: await hiddenBy(services, installed) };
  } finally {
    await claim.release();
  }
}

/** @throws Failure 'busy', 'file-access', 'disk-full' */
async function claimInstallation({ layout }: Services): Promise<Claim> {
  const path = join(layout.engines, 'install.claim');
  const claim = await tryClaim(path).catch((error: unknown) => {
    throw fileFailure(error, 'The engine cannot be installed.', path);
  });
  if (claim) return claim;
  throw new Failure('busy', 'An engine is being installed already.', { nextStep: 'Wait until that is done.' });
}

/** What cannot be removed now, a program that runs for example, is removed at a later start. */
async function removeOldVersions({ layout, log }: Services): Promise<void> {
  await collectVersions(layout.engines).catch((error: unknown) => {
    log.warn('failed removing old engines', { reason: messageOf(error) });
  });
}

/** An archive, and what proves it. */
interface ProvedArchive {
  readonly asset: ReleaseAsset;
  readonly digest: Digest | null;
  readonly origin: VersionRecord['digest_origin'];
}

function chosenOffer(offers: readonly [Offer, ...Offer[]], variant: EngineVariant | undefined): Offer {
  const chosen =
    variant === undefined
      ? (offers.find(({ isRecommended }) => isRecommended) ?? offers[0])
      : offers.find((offer) => offer.variant === variant);
  if (chosen) return chosen;
  throw new Failure('engine-unavailable', `The releases have no build for ${variant} on this machine.`, {
    subject: variant ?? '',
    nextStep: `There are: ${offers.map((offer) => offer.variant).join(', ')}.`
  });
}

function provedArchives(
  { engine, runtime }: Offer,
  { digests = [], allowUnverified = false }: EngineOrder
): ProvedArchive[] {
  return [engine, ...(runtime ? [runtime] : [])].map((asset, index) => {
    const pinned = pinnedDigest(digests[index]);
    if (pinned && asset.digest && pinned !== asset.digest) throw otherDigest(asset, pinned);
    if (asset.digest) return { asset, digest: asset.digest, origin: pinned ? 'pinned' : 'published' };
    if (pinned) return { asset, digest: pinned, origin: 'pinned' };
    if (allowUnverified) return { asset, digest: null, origin: 'observed' };
    throw new Failure('engine-unproved', `${asset.name} is published without a digest, so nothing proves it.`, {
      subject: asset.name,
      nextStep: 'Give its SHA-256 with --sha256, or install it all the same with --allow-unverified.'
    });
  });
}

function pinnedDigest(text: string | undefined): Digest | undefined {
  if (text === undefined) return undefined;
  const digest = parseDigest(text);
  if (digest) return digest;
  throw new Failure('bad-request', 'A SHA-256 has 64 hexadecimal digits.', { subject: text });
}

function otherDigest({ name, digest }: ReleaseAsset, pinned: Digest): Failure {
  return new Failure('digest-mismatch', `${name} is published with another digest than the one that you gave.`, {
    subject: name,
    nextStep: `Published is ${digest ?? ''}, given was ${pinned}; check which one is right.`
  });
}

async function fetchAndInstall(
  services: Services,
  { release, variant }: Offer,
  archives: readonly ProvedArchive[],
  { signal, onProgress }: Pick<InstallEngineOptions, 'signal' | 'onProgress'>
): Promise<InstalledEngine> {
  const fetched: (FetchedFile & { readonly name: string })[] = [];
  try {
    for (const archive of archives) {
      fetched.push({ ...(await fetchArchive(services, archive, { signal, onProgress })), name: archive.asset.name });
    }
    const [engine, runtime] = fetched.map(
      ({ name, path, hash }): FetchedArchive => ({ name, path, sha256: hash.digest })
    );
    if (!engine) throw new Error('an offer has an archive');
    const weakest = archives.find(({ origin }) => origin === 'observed') ?? archives[0];
    return await installArchives(
      { release, variant, engine, runtime, digestOrigin: weakest?.origin ?? 'observed' },
      {
        engines: services.layout.engines,
        environment: services.environment,
        freeBytes: services.freeBytes ?? freeBytes,
        now: services.clock.now,
        signal,
        onPhase: (phase, archive) => onProgress({ phase, archive })
      }
    );
  } finally {
    for (const { discard } of fetched) await discard();
  }
}

async function fetchArchive(
  services: Services,
  { asset, digest }: ProvedArchive,
  { signal, onProgress }: Pick<InstallEngineOptions, 'signal' | 'onProgress'>
): Promise<FetchedFile> {
  const { pulls, http, policy, clock } = services;
  const progress = new Throttle(onProgress);
  const source = isFileAddress(asset.url)
    ? fileSource(fileURLToPath(asset.url))
    : httpSource(asset.url, { client: http, policy, credential: undefined, now: clock.now });
  try {
    // A digest proves more than a size, which the list may have wrong.
    return await pulls.fetch(
      { source, digest, bytes: digest ? null : asset.bytes },
      {
        signal,
        onBytes: (receivedBytes, total) =>
          progress.offer({
            phase: 'fetching',
            archive: asset.name,
            receivedBytes,
            totalBytes: total ?? asset.bytes
          })
      }
    );
  } finally {
    progress.stop();
  }
}

/** Who names an engine that is not there: of those that are never passed over silently the first. */
function namedBy({ sdCliPath, environment }: Services): EngineOrigin {
  if (sdCliPath) return 'setting';
  return environment[PATH_VARIABLE] ? 'environment' : 'chosen';
}

/** An engine that is found before the one that was installed is used instead of it, even one that is not there. */
async function hiddenBy(services: Services, { path }: InstalledEngine): Promise<EngineInstallation['hiddenBy']> {
  try {
    const found = await locateEngine(services);
    return found.path === path ? null : { path: found.path, origin: found.origin };
  } catch (error) {
    if (!(error instanceof Failure) || error.subject === undefined) throw error;
    return { path: error.subject, origin: namedBy(services) };
  }
}
