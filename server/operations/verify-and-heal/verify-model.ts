import { Failure } from '../../../shared/failure';
import type { VerifyProgress } from '../../../shared/job-events';
import type { FileVerdict, VerifyReport } from '../../../shared/model';
import { modelKey, parseModelName } from '../../../shared/model-name';
import { Throttle } from '../../platform/throttle';
import { type InstallationVerdict, withVerdicts } from '../../registry/registry-state';
import { assessBundleFolder, type BundleState } from '../../store/bundle-state';
import { ACCESS_DENIED, verdictAtSight, verifyDeeply } from '../../store/verify-bundle';
import { isMadeHere, madeHereFailure } from '../convert/made-here';
import type { KnownModel } from '../models/known-models';
import type { Services } from '../services';

export interface VerifyOptions {
  /** `quick`: one stat per file, and what is remembered of it. `deep`: the digest of every file, read unless it did not change since it was. */
  readonly depth: 'quick' | 'deep';
  /** Whether to read again what did not change. */
  readonly force?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: VerifyProgress) => void;
}

type Parts = Pick<Services, 'layout' | 'hasher' | 'proofs' | 'clock'>;

/**
 * Says whether the installed files of a model are what they should be. Changes nothing.
 * @throws Failure('not-installed'), Failure('cancelled')
 */
export async function verifyModel(services: Parts, model: KnownModel, options: VerifyOptions): Promise<VerifyReport> {
  const { layout, clock } = services;
  const startedAt = clock.elapsed();
  const folder = layout.model(model.name);
  await services.proofs.refresh();
  // What is to be read whatever is known of it is looked at without that.
  const isForced = options.depth === 'deep' && options.force === true;
  const bundle = await assessBundleFolder(folder, isForced ? undefined : services.proofs);
  const facts = { model: model.name, depth: options.depth };
  if (bundle.kind === 'absent' && !model.installed) throw notInstalled(model);
  if (bundle.kind !== 'present') {
    const problems = [bundle.kind === 'absent' ? 'The installed files are gone.' : bundle.problem];
    return {
      ...facts,
      healthy: false,
      files: [],
      problems,
      bytes: 0,
      milliseconds: Math.round(clock.elapsed() - startedAt)
    };
  }
  const { files, bytes } = options.depth === 'quick' ? quickly(bundle) : await deeply(services, model, bundle, options);
  const problems = bundle.extras;
  const healthy = problems.length === 0 && files.every(({ verdict }) => verdict !== 'corrupt');
  return { ...facts, healthy, files, problems, bytes, milliseconds: Math.round(clock.elapsed() - startedAt) };
}

/**
 * Has the registry remember what deep verifications found, so that lists say so without a look at any bundle. That it
 * cannot be written changes nothing in what was found.
 */
export async function rememberVerdicts(
  { registry, clock, log }: Pick<Services, 'registry' | 'clock' | 'log'>,
  reports: readonly VerifyReport[]
): Promise<void> {
  const checked_at_unix_ms = clock.now();
  const verdicts = new Map<string, InstallationVerdict>();
  for (const report of reports) {
    const name = parseModelName(report.model);
    const problem = firstProblem(report);
    if (!name || report.depth === 'quick') continue;
    // What nobody could look at is not said to be right, nor to be wrong.
    if (problem === undefined && report.files.some(({ reason }) => reason === ACCESS_DENIED)) continue;
    verdicts.set(modelKey(name), { checked_at_unix_ms, ...(problem !== undefined && { problem }) });
  }
  if (verdicts.size === 0) return;
  try {
    await registry.change((models) => withVerdicts(models, verdicts));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn('verdicts not remembered', { reason: error.message });
  }
}

function firstProblem({ files, problems }: VerifyReport): string | undefined {
  const corrupt = files.find(({ verdict }) => verdict === 'corrupt');
  return corrupt ? `${corrupt.path}: ${corrupt.reason ?? 'the content is wrong.'}` : problems[0];
}

/** The failure of everything that needs an installed model. */
export function notInstalled(model: KnownModel): Failure {
  const { name } = model;
  if (isMadeHere(model)) return madeHereFailure('not-installed', `${name} is not installed.`, model);
  return new Failure('not-installed', `${name} is not installed.`, {
    subject: name,
    nextStep: 'Pull the model first.'
  });
}

type PresentBundle = Extract<BundleState, { kind: 'present' }>;

function quickly(bundle: PresentBundle): { files: FileVerdict[]; bytes: number } {
  const files = bundle.files.map((state): FileVerdict => {
    const atSight = verdictAtSight(state);
    if (atSight) return atSight;
    const { provedAt, file } = state;
    const { path, digest_origin } = file;
    if (provedAt !== undefined && digest_origin !== 'observed') return { path, verdict: 'verified', provedAt };
    return { path, verdict: 'unverifiable', reason: 'Existence and size are right; digests were not computed.' };
  });
  return { files, bytes: 0 };
}

async function deeply(
  { layout, hasher, proofs }: Parts,
  { name }: KnownModel,
  bundle: PresentBundle,
  { signal, force = false, onProgress }: VerifyOptions
): Promise<{ files: readonly FileVerdict[]; bytes: number }> {
  const throttle = new Throttle(onProgress);
  const totalBytes = bundle.manifest.total_size_bytes;
  const report = (hashedBytes: number): void => throttle.offer({ model: name, hashedBytes, totalBytes });
  try {
    const options = { hasher, proofs, force, signal, onProgress: report };
    const result = await verifyDeeply(layout.model(name), bundle, options);
    throttle.flush();
    return result;
  } finally {
    throttle.stop();
  }
}
