import { parseDigest } from '../../shared/digest';
import { collisionKey } from '../../shared/file-name';
import type { RegisteredManifest } from '../../shared/manifest/registered-manifest';
import type { ModelFile, ModelStatus } from '../../shared/model';
import type { BundleState } from '../store/bundle-state';
import { contentKey, type InstallationStamp } from './registry-state';

/** A status and, where there is something to explain, why. */
export interface StatusWithReason {
  readonly status: ModelStatus;
  readonly reason?: string;
}

/**
 * Tells a model's status from its manifest in view and a quick look at its bundle.
 * @param stamped whether the registry remembers an installation
 */
export function modelStatus(manifest: RegisteredManifest, bundle: BundleState, stamped: boolean): StatusWithReason {
  switch (bundle.kind) {
    case 'absent':
      if (!stamped) return { status: 'registered' };
      return { status: 'missing', reason: 'The installed files are gone; pull the model again.' };
    case 'unreadable':
      return { status: 'unhealthy', reason: bundle.problem };
    case 'present': {
      const [problem] = bundle.problems;
      if (problem !== undefined) return { status: 'unhealthy', reason: problem };
      const difference = differenceFrom(manifest, bundle);
      return difference === undefined ? { status: 'installed' } : { status: 'outdated', reason: difference };
    }
  }
}

/**
 * Tells an installed model's status from what the registry remembers, without a look at its bundle.
 * @returns undefined when that is not enough
 */
export function stampedStatus(
  manifest: RegisteredManifest,
  stamp: InstallationStamp | undefined
): StatusWithReason | undefined {
  if (stamp?.content_key === undefined || stamp.content_key !== contentKey(manifest)) return undefined;
  const problem = stamp.verdict?.problem;
  return problem === undefined ? { status: 'installed' } : { status: 'unhealthy', reason: problem };
}

/** The files of a model whose bundle was not looked at. */
export function stampedFiles(manifest: RegisteredManifest, { status }: StatusWithReason): ModelFile[] {
  return manifest.files.map(({ filename, role, size_bytes, approx_bytes }) => {
    const bytes = size_bytes ?? approx_bytes;
    const facts = { ...(role && { role }), ...(bytes !== undefined && { bytes }) };
    return { path: filename, present: status === 'installed', ...facts };
  });
}

/** The files of a model for lists, in the manifest's order. */
export function modelFiles(manifest: RegisteredManifest, bundle: BundleState): ModelFile[] {
  const installed = new Map(
    bundle.kind === 'present' ? bundle.files.map((state) => [collisionKey(state.file.path), state]) : []
  );
  return manifest.files.map(({ filename, role, size_bytes, approx_bytes }) => {
    const state = installed.get(collisionKey(filename));
    const bytes = state?.file.size_bytes ?? size_bytes ?? approx_bytes;
    return {
      path: filename,
      ...(role && { role }),
      present: state !== undefined && state.problem === undefined,
      ...(bytes !== undefined && { bytes })
    };
  });
}

function differenceFrom(manifest: RegisteredManifest, { manifest: installed }: PresentBundle): string | undefined {
  const found = new Map(installed.files.map((file) => [collisionKey(file.path), file]));
  for (const wanted of manifest.files) {
    const file = found.get(collisionKey(wanted.filename));
    if (!file) return `The manifest also lists ${wanted.filename}; pull the model again.`;
    const digest = wanted.sha256 === undefined ? undefined : parseDigest(wanted.sha256);
    if (digest !== undefined && digest !== file.sha256) return changed(wanted.filename);
    if (wanted.size_bytes !== undefined && wanted.size_bytes !== file.size_bytes) return changed(wanted.filename);
    if (file.role !== undefined && wanted.role !== file.role)
      return `The role of ${wanted.filename} changed; pull the model again.`;
    found.delete(collisionKey(wanted.filename));
  }
  const [extra] = found.values();
  return extra && `The manifest no longer lists ${extra.path}; pull the model again.`;
}

function changed(filename: string): string {
  return `The manifest asks for another content of ${filename}; pull the model again.`;
}

type PresentBundle = Extract<BundleState, { kind: 'present' }>;
