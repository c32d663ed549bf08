import { ENGINE_VARIANTS, type EngineVariant } from '../../../shared/engine';
import { Failure } from '../../../shared/failure';
import { type AssetKind, assetKind } from './asset-kind';
import type { Recommendation } from './recommend-variant';
import type { EngineRelease, ReleaseAsset } from './release-list';

/** A build that could be installed, with all that is to be fetched. */
export interface Offer {
  readonly variant: EngineVariant;
  readonly reason: string;
  readonly isRecommended: boolean;
  readonly release: string;
  readonly engine: ReleaseAsset;
  /** The CUDA runtime, which builds for Windows have in an archive of its own. */
  readonly runtime?: ReleaseAsset;
}

export interface OffersRequest {
  readonly releases: readonly EngineRelease[];
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Variants that fit the machine, the best first. */
  readonly recommendations: readonly Recommendation[];
  /** Tag of the only release that counts; absent: the newest one that has the variant. */
  readonly release?: string | undefined;
}

/**
 * What could be installed: of each variant the newest build, those that fit the machine first. A release that is still
 * being put together has not all of its files yet; then the one before it counts.
 * @throws Failure('engine-unavailable') when there is no such release, or nothing for this platform
 */
export function engineOffers(request: OffersRequest): readonly [Offer, ...Offer[]] {
  const { releases, platform, arch, recommendations, release: tag } = request;
  const candidates = tag === undefined ? releases : releases.filter((release) => release.tag === tag);
  if (tag !== undefined && candidates.length === 0) throw noRelease(tag, releases);
  const fitting = recommendations.map(({ variant }) => variant);
  const order = [...fitting, ...ENGINE_VARIANTS.filter((variant) => !fitting.includes(variant))];
  const builds = order.flatMap((variant) => newestBuild(candidates, { platform, arch, variant }) ?? []);
  const best = builds.find(({ variant }) => fitting.includes(variant));
  const offers = builds.map((build) => ({
    ...build,
    isRecommended: build === best,
    reason: reasonFor(build.variant, recommendations)
  }));
  const [first, ...others] = offers;
  if (!first) throw nothingFor(platform, arch);
  return [first, ...others];
}

interface Wanted {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly variant: EngineVariant;
}

function newestBuild(
  releases: readonly EngineRelease[],
  wanted: Wanted
): Pick<Offer, 'variant' | 'release' | 'engine' | 'runtime'> | undefined {
  for (const { tag, assets } of releases) {
    const known = assets.flatMap((asset) => {
      const kind = assetKind(asset.name);
      return kind && kind.platform === wanted.platform && kind.arch === wanted.arch ? [{ asset, kind }] : [];
    });
    const [build] = known
      .flatMap(({ asset, kind }) =>
        kind.kind === 'engine' && kind.variant === wanted.variant ? [{ asset, kind }] : []
      )
      .toSorted((one, other) => one.kind.demands - other.kind.demands);
    if (!build) continue;
    const common = { variant: wanted.variant, release: tag, engine: build.asset };
    if (wanted.variant !== 'cuda' || wanted.platform !== 'win32') return common;
    const runtime = known.find(({ kind }) => isRuntimeFor(kind, build.kind.cuda));
    if (runtime) return { ...common, runtime: runtime.asset };
  }
  return undefined;
}

function isRuntimeFor(kind: AssetKind, cuda: string | undefined): boolean {
  return kind.kind === 'cuda-runtime' && (kind.cuda === undefined || cuda === undefined || kind.cuda === cuda);
}

function reasonFor(variant: EngineVariant, recommendations: readonly Recommendation[]): string {
  const known = recommendations.find((recommendation) => recommendation.variant === variant);
  return known?.reason ?? 'Nothing on this machine tells that it would run here.';
}

function noRelease(tag: string, releases: readonly EngineRelease[]): Failure {
  const [newest] = releases;
  return new Failure('engine-unavailable', `There is no release ${tag} in the list.`, {
    subject: tag,
    nextStep: newest ? `The newest one is ${newest.tag}.` : 'The list is empty; check its address.'
  });
}

function nothingFor(platform: NodeJS.Platform, arch: string): Failure {
  return new Failure('engine-unavailable', `The releases have no build of sd-cli for ${platform} on ${arch}.`, {
    subject: `${platform}-${arch}`,
    nextStep: 'Build stable-diffusion.cpp yourself, and name its sd-cli in the settings.'
  });
}
