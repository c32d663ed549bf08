import { join } from 'node:path';
import type { Digest } from '../../../shared/digest';
import type { InstalledFile } from '../../../shared/manifest/installed-manifest';
import type { ModelSummary } from '../../../shared/model';
import { modelKey } from '../../../shared/model-name';
import type { Role } from '../../../shared/roles';
import { estimateRun, type RunMemory, type WeighedFile } from '../../engine/memory/run-memory';
import type { MachineMemory } from '../../platform/machine-memory';
import { bundleFiles } from '../../store/bundle-index';
import type { BundleState } from '../../store/bundle-state';
import type { WeightsDescription } from '../../weights/describe';
import { isHeaderName } from '../../weights/weights-name';
import type { Services } from '../services';
import type { WeightsLibrary } from '../weights/weights-library';
import type { KnownModel } from './known-models';
import { summariseModel } from './list-models';

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
  /** What its header says; absent where it has none, or could not be read. */
  readonly weights?: WeightsDescription;
  /** Why its header says nothing, a sentence; absent for files that are no weights. */
  readonly weightsProblem?: string;
  /** Other installed models that hold the same content; the bytes are stored once. */
  readonly sharedWith: readonly string[];
}

/** Bytes that an installed model takes, each content counted once. */
export interface Footprint {
  readonly bytes: number;
  /** Of these, bytes that other installed models use too; they stay when the model is removed. */
  readonly sharedBytes: number;
}

/** Everything that is known of one model without reading more of its files than headers. */
export interface Inspection
  extends Pick<ModelSummary, 'name' | 'status' | 'reason' | 'task' | 'folder' | 'manifestUri'> {
  readonly source: string;
  readonly revision: string;
  readonly license?: string;
  readonly installedFiles: readonly InspectedFile[];
  readonly problems: readonly string[];
  readonly footprint: Footprint;
  /** What a run with the model's defaults would take; absent where headers do not tell. */
  readonly run?: RunMemory;
  readonly machine: MachineMemory;
}

/** Tells of a model what its manifests, the disk, and earlier verifications say. @throws Failure */
export async function inspectModel(services: Services, model: KnownModel): Promise<Inspection> {
  const summary = await summariseModel(services, model.name);
  const bundle = await services.survey.look(model.name);
  const { name, manifest } = model;
  const installedFiles = bundle.kind === 'present' ? await inspectFiles(services, model, bundle) : [];
  const run = estimateRun(weighed(installedFiles), manifest.defaults ?? {});
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
    footprint: footprint(installedFiles),
    ...(run && { run }),
    machine: await services.machineMemory()
  };
}

/** Files with a role: what the engine loads. */
function weighed(files: readonly InspectedFile[]): WeighedFile[] {
  return files.flatMap(({ role, weights }) => (role ? [{ role, ...(weights && { weights }) }] : []));
}

type PresentBundle = Extract<BundleState, { kind: 'present' }>;

async function inspectFiles(
  { layout, weights }: Services,
  { name }: KnownModel,
  bundle: PresentBundle
): Promise<readonly InspectedFile[]> {
  const holders = new Map<Digest, Set<string>>();
  for (const { model, digest } of await bundleFiles(layout)) {
    if (modelKey(model) === modelKey(name)) continue;
    holders.set(digest, (holders.get(digest) ?? new Set()).add(model));
  }
  const inspected: InspectedFile[] = [];
  // One after the other: each takes a handle and room for a header, and a model may have thousands of files.
  for (const { file, problem, provedAt } of bundle.files) {
    inspected.push({
      path: file.path,
      ...(file.role && { role: file.role }),
      bytes: file.size_bytes,
      sha256: file.sha256,
      digestOrigin: file.digest_origin ?? 'declared',
      ...(problem !== undefined && { problem: `The file ${problem}.` }),
      ...(provedAt !== undefined && { provedAt }),
      ...(problem === undefined && (await inspectHeader(weights, layout.model(name), file))),
      sharedWith: [...(holders.get(file.sha256) ?? [])]
    });
  }
  return inspected;
}

/** A bundle may hold texts and settings, too, which are nothing to speak of. */
async function inspectHeader(
  weights: WeightsLibrary,
  folder: string,
  { path, role }: InstalledFile
): Promise<Pick<InspectedFile, 'weights' | 'weightsProblem'>> {
  if (role === undefined && !isHeaderName(path)) return {};
  const reading = await weights.look(join(folder, path));
  return reading.kind === 'read' ? { weights: reading.description } : { weightsProblem: reading.failure.message };
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
