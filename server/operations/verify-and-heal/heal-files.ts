import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, messageOf } from '../../../shared/failure';
import type { PullEvent, VerifyProgress } from '../../../shared/job-events';
import type { InstalledFile } from '../../../shared/manifest/installed-manifest';
import { fileFailure, isErrorWithCode } from '../../platform/system-error';
import type { WantedFile } from '../../pull/expected-file';
import type { PullOptions } from '../../pull/pull-engine';
import type { BundleContent } from '../../store/bundle-store';
import { requireNothingForeign } from '../../store/foreign-files';
import { relyOn } from '../../store/reliance';
import { requireElsewhere } from '../convert/made-here';
import type { KnownModel } from '../models/known-models';
import { sourceOf } from '../pull/source-of';
import type { Services } from '../services';
import { type BundleAsFound, requireAsFound } from './bundle-as-found';

/** What a healing reports to, and what ends it. */
export interface HealOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly onEvent: (event: PullEvent) => void;
  /** Of the credential to use instead of the one that the manifest names. */
  readonly credentialAlias?: string | undefined;
}

/** What was done to the files of a bundle. */
export interface HealedFiles {
  readonly healed: readonly string[];
  /** Why others are not. */
  readonly failures: readonly Failure[];
  readonly transferredBytes: number;
}

/**
 * Fetches files of a bundle again and installs those that can be had; the others stay as they are. Runs as the model's
 * only job.
 * @throws Failure when none can be had, or when the bundle is not as it was found any more
 */
export async function healFiles(
  services: Services,
  model: KnownModel,
  found: BundleAsFound,
  damaged: ReadonlySet<string>,
  { signal, onEvent, credentialAlias }: HealOptions
): Promise<HealedFiles> {
  const { name } = model;
  const { manifest } = found.bundle;
  const paths = manifest.files.map(({ path }) => path);
  await requireNothingForeign(services.layout.model(name), paths);
  const startedAt = services.clock.now();
  try {
    const files = manifest.files.filter(({ path }) => damaged.has(path));
    const reliance = { digests: manifest.files.map(({ sha256 }) => sha256), open: false };
    const result = await services.runningPulls.run(name, (pause) =>
      relyOn(services.layout, reliance, () =>
        fetchAndInstall(services, model, found, files, { signal, onEvent, pause, credentialAlias })
      )
    );
    const { transferredBytes } = result;
    const milliseconds = services.clock.now() - startedAt;
    onEvent({ type: 'completed', model: name, bytes: manifest.total_size_bytes, transferredBytes, milliseconds });
    return result;
  } catch (thrown) {
    const error = fileFailure(thrown, `Healing ${name} failed.`, services.layout.root);
    const failure =
      error instanceof Failure ? error.toJSON() : { code: 'unexpected' as const, message: messageOf(error) };
    onEvent({ type: 'failed', model: name, failure });
    throw error;
  }
}

/** What can be had is installed although other files cannot be had. */
async function fetchAndInstall(
  services: Services,
  model: KnownModel,
  found: BundleAsFound,
  damaged: readonly InstalledFile[],
  { credentialAlias, ...options }: PullOptions & Pick<HealOptions, 'credentialAlias'>
): Promise<HealedFiles> {
  const { name } = model;
  const failures = new Map<string, Failure>();
  const wanted: WantedFile[] = [];
  for (const file of damaged) {
    try {
      wanted.push(await wantedFile(services, model, file, credentialAlias));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.set(file.path, error);
    }
  }
  const onFailed = (path: string, failure: Failure): void => void failures.set(path, failure);
  const { files, transferredBytes } = await services.pulls.pull(name, wanted, { ...options, onFailed });
  const [failure] = failures.values();
  if (files.length === 0 && failure) throw failure;
  const fetched = new Map(files.map(({ filename, blob }) => [filename, blob]));
  const kept = found.bundle.manifest.files.filter(({ path }) => !fetched.has(path));
  const own = await contentsOf(services.layout.model(name), kept, failures);
  const contents = [...[...fetched].map(([path, blob]): BundleContent => ({ path, blob })), ...own];
  await requireAsFound(
    services,
    name,
    found,
    kept.map(({ path }) => path)
  );
  const { signal } = options;
  await services.bundles.install(name, contents, found.bundle.manifest, { expected: found.stamp, signal });
  return { healed: [...fetched.keys()], failures: [...failures.values()], transferredBytes };
}

/**
 * What a bundle keeps of its own: what is sound, and what is damaged but cannot be had anew.
 * @throws Failure for a file that cannot be had when something else lies in its place
 */
async function contentsOf(
  folder: string,
  kept: readonly InstalledFile[],
  failures: ReadonlyMap<string, Failure>
): Promise<readonly BundleContent[]> {
  const contents: BundleContent[] = [];
  for (const { path, sha256, size_bytes } of kept) {
    const failure = failures.get(path);
    const own = join(folder, path);
    const kind = failure && (await kindOf(own));
    if (kind === 'absent') continue;
    if (failure && kind === 'other') throw failure;
    contents.push({ path, blob: { path: own, digest: sha256, bytes: size_bytes }, isKept: true });
  }
  return contents;
}

async function kindOf(path: string): Promise<'absent' | 'file' | 'other'> {
  try {
    return (await lstat(path)).isFile() ? 'file' : 'other';
  } catch (error) {
    return isErrorWithCode(error, 'ENOENT') ? 'absent' : 'other';
  }
}

/** @throws Failure when the manifest of the model no longer tells where to find what is installed, or nobody else has it */
async function wantedFile(
  services: Services,
  model: KnownModel,
  { path, sha256, size_bytes }: InstalledFile,
  alias = model.manifest.credential_alias
): Promise<WantedFile> {
  const { name, manifest, publication } = model;
  requireElsewhere(model, path);
  const source = manifest.files.find(({ filename }) => filename === path);
  if (!source || (source.sha256 !== undefined && source.sha256 !== sha256)) {
    throw new Failure('outdated-model', `The manifest of ${name} no longer tells where to find this ${path}.`, {
      subject: name,
      nextStep: 'Pull the model to replace it by what the manifest asks for now.'
    });
  }
  return {
    filename: path,
    source: await sourceOf(services, source, { alias, publication }),
    digest: sha256,
    bytes: size_bytes,
    pieces: source.pieces,
    seeds: [join(services.layout.model(name), path)]
  };
}
