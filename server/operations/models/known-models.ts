import { Failure } from '../../../shared/failure';
import type { RegisteredManifest } from '../../../shared/manifest/registered-manifest';
import { type ModelName, modelKey, parseModelName } from '../../../shared/model-name';
import {
  type ConversionOrigin,
  entryName,
  type InstallationStamp,
  type PublicationOrigin,
  type RegistryEntry
} from '../../registry/registry-state';
import type { Services } from '../services';

/** A model as the registry and the workspace together know it. */
export interface KnownModel {
  readonly name: ModelName;
  readonly manifest: RegisteredManifest;
  /** Absolute path of the manifest, when it is a local file. */
  readonly manifestPath?: string;
  /** The publication that it was fetched from; its files are found there, and not at their addresses. */
  readonly publication?: PublicationOrigin;
  /** How it was made here; its files are found nowhere else. */
  readonly conversion?: ConversionOrigin;
  readonly installed?: InstallationStamp;
}

type ModelSources = Pick<Services, 'registry' | 'manifestsInView'>;

/**
 * Every known model, sorted by name. A manifest in the workspace wins over the registry's copy of it; the name that it
 * had before names nothing any more, unless that is installed.
 */
export async function knownModels({ registry, manifestsInView }: ModelSources): Promise<readonly KnownModel[]> {
  const [entries, inView] = await Promise.all([registry.read(), manifestsInView.read()]);
  const models = new Map<string, KnownModel>();
  const paths = new Set(inView.map(({ path }) => path));
  for (const entry of entries) {
    const model = modelOf(entry);
    const isNamedAnew = !entry.installed && entry.manifest_path !== undefined && paths.has(entry.manifest_path);
    if (model && !isNamedAnew) models.set(modelKey(model.name), model);
  }
  for (const { name, path, manifest } of inView) {
    const installed = models.get(modelKey(name))?.installed;
    models.set(modelKey(name), { name, manifest, manifestPath: path, ...(installed && { installed }) });
  }
  return [...models].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, model]) => model);
}

/** The same model for the same entry, which is never changed once it was read. */
function modelOf(entry: RegistryEntry): KnownModel | undefined {
  const known = modelsByEntry.get(entry);
  if (known) return known;
  const name = entryName(entry);
  if (!name) return undefined;
  const { manifest, manifest_path: manifestPath, publication, conversion, installed } = entry;
  const model = {
    name,
    manifest,
    ...(manifestPath !== undefined && { manifestPath }),
    ...(publication && { publication }),
    ...(conversion && { conversion }),
    ...(installed && { installed })
  };
  modelsByEntry.set(entry, model);
  return model;
}

const modelsByEntry = new WeakMap<RegistryEntry, KnownModel>();

/** @throws Failure('unknown-model') */
export async function findModel(sources: ModelSources, text: string): Promise<KnownModel> {
  const name = parseModelName(text);
  const models = await knownModels(sources);
  const model = name && models.find((other) => modelKey(other.name) === modelKey(name));
  if (model) return model;
  throw new Failure('unknown-model', `No model is named ${text}.`, {
    subject: text,
    nextStep:
      models.length === 0
        ? 'Pull a manifest file first.'
        : `Known are: ${models.map((known) => known.name).join(', ')}.`
  });
}
