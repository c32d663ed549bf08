import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ModelName } from '../../../shared/model-name';
import { errorCode, fileFailure } from '../../platform/system-error';
import { assessBundleFolder, type BundleState } from '../../store/bundle-state';
import { changedMeanwhile, folderStamp } from '../../store/bundle-swap';
import type { Services } from '../services';

type PresentBundle = Extract<BundleState, { kind: 'present' }>;

/** A bundle, and what tells it from any other that takes its place while a job works on it. */
export interface BundleAsFound {
  readonly kind: 'present';
  readonly bundle: PresentBundle;
  readonly stamp: string;
  /** What each listed file was like before it was read. */
  readonly files: ReadonlyMap<string, string>;
}

type Parts = Pick<Services, 'layout' | 'proofs'>;

/** What lies in the place of a bundle without telling what it should be. */
export type NoBundle = Exclude<BundleState, PresentBundle>;

/** Looks at a bundle, before its files are read. @throws Failure('file-access') */
export async function findBundle({ layout, proofs }: Parts, name: ModelName): Promise<BundleAsFound | NoBundle> {
  const folder = layout.model(name);
  try {
    // The stamp first: whoever replaces the bundle while it is looked at is noticed later.
    const stamp = await folderStamp(folder);
    await proofs.refresh();
    const bundle = await assessBundleFolder(folder, proofs);
    if (bundle.kind !== 'present') return bundle;
    const paths = bundle.manifest.files.map(({ path }) => path);
    const files = await Promise.all(paths.map(async (path) => [path, await fileStamp(join(folder, path))] as const));
    return { kind: 'present', bundle, stamp, files: new Map(files) };
  } catch (error) {
    throw fileFailure(error, 'The installed files cannot be looked at.', folder);
  }
}

/**
 * Makes sure that a bundle is still the one that was found, says the same, and that files of it are as they were.
 * @param kept paths of the files that are to be used again
 * @throws Failure('busy')
 */
export async function requireAsFound(
  { layout }: Pick<Services, 'layout'>,
  name: ModelName,
  { bundle, stamp, files }: BundleAsFound,
  kept: readonly string[]
): Promise<void> {
  const folder = layout.model(name);
  const stamps = await Promise.all(kept.map((path) => fileStamp(join(folder, path))));
  const isUntouched = kept.every((path, index) => files.get(path) === stamps[index]);
  const now = await assessBundleFolder(folder);
  const saysTheSame = now.kind === 'present' && isDeepStrictEqual(facts(now), facts(bundle));
  if (!isUntouched || !saysTheSame || (await folderStamp(folder)) !== stamp) throw changedMeanwhile(name);
}

function facts({ manifest, extras }: PresentBundle) {
  return { manifest, extras };
}

/** Links and modes change without the bytes, so the time of those changes does not count. */
async function fileStamp(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await lstat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join('-');
  } catch (error) {
    const code = errorCode(error);
    // What cannot be looked at counts as one thing, for as long as it cannot.
    if (code === undefined) throw error;
    return code;
  }
}
