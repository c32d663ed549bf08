import { Failure } from '../../../shared/failure';
import { collisionKey } from '../../../shared/file-name';
import type { PullEvent } from '../../../shared/job-events';
import type { RegisteredManifest } from '../../../shared/manifest/registered-manifest';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import type { FetchPublicationParams, FetchResult } from '../../../shared/publication';
import { isRole, type Role } from '../../../shared/roles';
import { fileKey } from '../../artifacts/publications/publication-keys';
import { type ReadPublication, readPublication } from '../../artifacts/publications/read-publication';
import type { PulledFile } from '../../pull/pull-engine';
import { type KnownModel, knownModels } from '../models/known-models';
import { pullModel } from '../pull/pull-model';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { namedStores } from './known-stores';
import { openStore } from './open-store';
import { publicationName } from './publication-name';

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: PullEvent) => void;
}

/**
 * Fetches what is published under a name and installs it: exactly the files of the manifest, each proved. From then on
 * the store is where the model is pulled and healed from.
 * @throws Failure: 'not-published', 'bad-publication' and 'digest-mismatch' with the key, 'model-exists' for a model of
 *   that name that comes from elsewhere and has other files, 'bad-request' for the results of a batch
 */
export async function fetchModel(
  services: Services,
  params: FetchPublicationParams,
  { signal, onEvent }: FetchOptions
): Promise<FetchResult> {
  requireTrust(services, 'Fetching models');
  const asked = publicationName(params.name);
  const store = await openStore(services, params.store);
  const read = await readPublication(store, asked, {
    signal,
    local: (combined, file) => services.fetched.readDocument(combined, file)
  });
  const { attempt, combined } = read.pointer;
  requireModel(read, params.store);
  const name = await nameHere(services, asked, read);
  const publication = { store: params.store, name, attempt, combined };
  const model = { name, publication, manifest: manifestOf(read, name, store.label) };
  if (params.replace !== true) await requireSameOrigin(services, model);
  const roles = new Map<string, Role>();
  const result = await pullModel(services, model, {
    signal,
    onEvent,
    onArrived: async (files) => {
      const { documents } = read;
      await services.fetched.keep({
        combined,
        documents,
        files: files.map(({ filename, blob }) => ({ name: filename, blob }))
      });
      if (!read.facts) for (const [path, role] of await rolesOf(services, files)) roles.set(path, role);
      return { ...model, manifest: withRoles(model.manifest, roles) };
    }
  });
  return { ...result, likelyRoles: [...roles].map(([path, role]) => ({ path, role })) };
}

function requireModel({ pointer: { name, holds } }: ReadPublication, store: string): void {
  if (holds === 'model') return;
  throw new Failure('bad-request', `What is published as ${name} is no model, but the results of a batch.`, {
    subject: name,
    nextStep: `Get them with: diffusion-dock fetch ${name} --store ${store} --output DIR`
  });
}

/** The spelling of the name that the model was published under, unless one of that name is known here. */
async function nameHere(services: Services, name: ModelName, { pointer }: ReadPublication): Promise<ModelName> {
  const known = (await knownModels(services)).find((model) => modelKey(model.name) === modelKey(name));
  return known?.name ?? parseModelName(pointer.name) ?? name;
}

/** A publication in the words of the registry. The addresses are keys, relative to the store. */
function manifestOf({ pointer, files, facts }: ReadPublication, name: ModelName, label: string): RegisteredManifest {
  const roles = new Map(facts?.roles.map((file) => [file.name, file.role]));
  const { source, revision, task, engine, license, defaults } = facts ?? { source: label };
  return {
    name,
    ...(source !== undefined && { source }),
    ...(revision !== undefined && { revision }),
    ...(task && { task }),
    ...(engine && { engine }),
    ...(license !== undefined && { license }),
    ...(defaults && { defaults }),
    files: files.map((file) => {
      const role = roles.get(file.name);
      return {
        filename: file.name,
        url: fileKey(name, pointer.attempt, file.name),
        sha256: file.digest,
        ...(file.bytes !== null && { size_bytes: file.bytes }),
        ...(role && { role })
      };
    })
  };
}

/** @throws Failure('model-exists') when a model of that name would become another one */
async function requireSameOrigin(services: Services, { name, manifest, publication }: KnownModel): Promise<void> {
  const known = (await knownModels(services)).find((model) => modelKey(model.name) === modelKey(name));
  if (!known) return;
  const { publication: origin } = known;
  if (origin && publication && isSameStore(services, origin.store, publication.store)) return;
  if (asksForTheSame(known.manifest, manifest)) return;
  const from = origin ? `the store ${origin.store}` : (known.manifestPath ?? known.manifest.source ?? 'another place');
  throw new Failure('model-exists', `There is a model named ${name} already, with other files, from ${from}.`, {
    subject: name,
    nextStep: 'To replace it, say so; on the command line with --replace.'
  });
}

/** A store may have a name and an address. */
function isSameStore(services: Services, one: string, other: string): boolean {
  const urlOf = (named: string): string => namedStores(services)[named]?.url ?? named;
  return urlOf(one) === urlOf(other);
}

/** Whether every file that a manifest asks for is in another one, as far as it says which. */
function asksForTheSame(one: RegisteredManifest, other: RegisteredManifest): boolean {
  const others = new Map(other.files.map((file) => [collisionKey(file.filename), file]));
  return (
    one.files.length === others.size &&
    one.files.every(
      ({ filename, sha256 }) => sha256 !== undefined && others.get(collisionKey(filename))?.sha256 === sha256
    )
  );
}

/** What the headers of files say that they are. */
async function rolesOf({ weights }: Services, files: readonly PulledFile[]): Promise<ReadonlyMap<string, Role>> {
  const roles = new Map<string, Role>();
  for (const { filename, blob } of files) {
    const reading = await weights.look(blob.path);
    const role = reading.kind === 'read' ? reading.description.component : undefined;
    if (role !== undefined && isRole(role)) roles.set(filename, role);
  }
  return roles;
}

function withRoles(manifest: RegisteredManifest, roles: ReadonlyMap<string, Role>): RegisteredManifest {
  if (roles.size === 0) return manifest;
  const files = manifest.files.map((file) => {
    const role = roles.get(file.filename);
    return role ? { ...file, role } : file;
  });
  return { ...manifest, files };
}
