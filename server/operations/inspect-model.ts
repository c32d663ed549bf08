import type { Digest } from '../../shared/digest';
import type { ModelSummary } from '../../shared/model';
import { modelKey } from '../../shared/model-name';
import type { Role } from '../../shared/roles';
import { bundleFiles } from '../store/bundle-index';
import type { BundleState } from '../store/bundle-state';
import type { KnownModel } from './known-models';
import { summariseModel } from './list-models';
import type { Services } from './services';

/** One file of an installed model. */
export interface InspectedFile {
  readonly path: string;
  readonly role?: Role;
  readonly bytes: number;
  readonly sha256: Digest;
  /** `observed`: nobody declared the digest, it is that of what arrived. */
  readonly digestOrigin: 'declared' | 'observed';
  /** What is known to be wrong, a sentence. */
  readonly problem?: string;
  /** When its bytes were read and found right, in ms since the epoch. */
  readonly provedAt?: number;
  /** Other installed models that hold the same content; the bytes are stored once. */
  readonly sharedWith: readonly string[];
}

/** Bytes that an installed model takes, each content counted once. */
export interface Footprint {
  readonly bytes: number;
  /** Of these, bytes that other installed models use too; they stay when the model is removed. */
  readonly sharedBytes: number;
}

/** Everything that is known of one model without reading its files. */
export interface Inspection
  extends Pick<ModelSummary, 'name' | 'status' | 'reason' | 'task' | 'folder' | 'manifestUri'> {
  readonly source: string;
  readonly revision: string;
  readonly license?: string;
  readonly installedFiles: readonly InspectedFile[];
  readonly problems: readonly string[];
  readonly footprint: Footprint;
}

/** Tells of a model what its manifests, the disk, and earlier verifications say. @throws Failure */
export async function inspectModel(services: Services, model: KnownModel): Promise<Inspection> {
  const summary = await summariseModel(services, model.name);
  const bundle = await services.survey.look(model.name);
  const { name, manifest } = model;
  const installedFiles = bundle.kind === 'present' ? await inspectFiles(services, model, bundle) : [];
  const license = manifest.license ?? (bundle.kind === 'present' ? bundle.manifest.license : undefined);
  return {
    name,
    status: 'registered',
    ...summary,
    source: manifest.source ?? '',
    revision: manifest.revision ?? '',
    ...(license !== undefined && { license }),
    installedFiles,
    problems: problemsOf(bundle),
    footprint: footprint(installedFiles)
  };
}

type PresentBundle = Extract<BundleState, { kind: 'present' }>;

async function inspectFiles(
  { layout }: Services,
  { name }: KnownModel,
  bundle: PresentBundle
): Promise<readonly InspectedFile[]> {
  const holders = new Map<Digest, Set<string>>();
  for (const { model, digest } of await bundleFiles(layout)) {
    if (modelKey(model) === modelKey(name)) continue;
    holders.set(digest, (holders.get(digest) ?? new Set()).add(model));
  }
  return bundle.files.map(({ file, problem, provedAt }) => ({
    path: file.path,
    ...(file.role && { role: file.role }),
    bytes: file.size_bytes,
    sha256: file.sha256,
    digestOrigin: file.digest_origin ?? 'declared',
    ...(problem !== undefined && { problem: `The file ${problem}.` }),
    ...(provedAt !== undefined && { provedAt }),
    sharedWith: [...(holders.get(file.sha256) ?? [])]
  }));
}

function problemsOf(bundle: BundleState): readonly string[] {
  switch (bundle.kind) {
    case 'absent':
      return [];
    case 'unreadable':
      return [bundle.problem];
    case 'present':
      return bundle.problems;
  }
}

function footprint(files: readonly InspectedFile[]): Footprint {
  const contents = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const sum = (counted: readonly InspectedFile[]): number => counted.reduce((total, { bytes }) => total + bytes, 0);
  return { bytes: sum(contents), sharedBytes: sum(contents.filter(({ sharedWith }) => sharedWith.length > 0)) };
}
