import { readdir } from 'node:fs/promises';
import type { EngineOffer } from '../../../shared/engine';
import { SETTINGS } from '../../../shared/settings';
import { engineOffers, type Offer } from '../../engine/install/offers';
import { type Machine, recommendVariants } from '../../engine/install/recommend-variant';
import { type ReleaseAsset, readReleases } from '../../engine/install/release-list';
import { patiently } from '../../pull/http/patiently';
import { describeAddress } from '../../pull/http/web-address';
import type { Services } from '../services';
import { requireTrust } from '../trust';

export interface ReleaseQuery {
  /** Address of the list, instead of the one that is set. */
  readonly address?: string | undefined;
  /** Tag of the only release that counts. */
  readonly release?: string | undefined;
}

/** Names the list of releases where no setting does. */
const RELEASES_VARIABLE = 'DIFFUSION_DOCK_ENGINE_RELEASES';

/**
 * Asks which builds of the engine could be installed here; what fits the machine comes first.
 * @throws Failure
 */
export async function findOffers(
  services: Services,
  query: ReleaseQuery,
  signal: AbortSignal
): Promise<readonly [Offer, ...Offer[]]> {
  requireTrust(services, 'Looking for an engine');
  const { environment, http, policy, clock, engineReleases } = services;
  const address = query.address || engineReleases || environment[RELEASES_VARIABLE] || SETTINGS.engineReleases.default;
  const options = { client: http, policy, credential: undefined, now: clock.now, signal };
  const releases = await patiently(() => readReleases(address, options), { clock, signal });
  const machine: Machine = { platform: process.platform, arch: process.arch, environment, list };
  const recommendations = await recommendVariants(machine);
  return engineOffers({ ...machine, releases, recommendations, release: query.release });
}

/** An offer as people are shown it. */
export function describeOffer({ engine, runtime, ...offer }: Offer): EngineOffer {
  const { variant, reason, isRecommended, release } = offer;
  const archives = [engine, ...(runtime ? [runtime] : [])].map(describeAsset);
  return { variant, reason, isRecommended, release, archives };
}

function describeAsset({ name, url, bytes, digest }: ReleaseAsset): EngineOffer['archives'][number] {
  return { name, from: describeAddress(new URL(url)), bytes, digest };
}

/** What cannot be listed tells nothing about the machine. */
async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
