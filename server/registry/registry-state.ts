import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { collisionKey } from '../../shared/file-name';
import type { InstalledManifest } from '../../shared/manifest/installed-manifest';
import { type RegisteredManifest, registeredManifest } from '../../shared/manifest/registered-manifest';
import { digest, modelName } from '../../shared/manifest/text-rules';
import { type ModelName, modelKey, parseModelName } from '../../shared/model-name';

/** What the registry remembers of an installation; a cache of what the bundle's manifest says. */
const installationStamp = z.object({
  cache_dir: z.string(),
  installed_at_unix_ms: z.int().min(0),
  cache_size_bytes: z.int().min(0),
  /** {@link contentKey} of the manifest that was installed; absent in stamps of earlier versions. */
  content_key: z.string().optional(),
  /** What the last deep verification found; absent before the first. */
  verdict: z.object({ checked_at_unix_ms: z.int().min(0), problem: z.string().optional() }).optional()
});

/** Where a model was fetched from: its files are found there by what is published under the name. */
export const publicationOrigin = z.object({
  /** As the settings name the store, or its address. */
  store: z.string(),
  /** The name that it is published under. */
  name: modelName,
  /** The publication that was fetched. */
  attempt: z.string(),
  combined: digest
});

/** How a model was made of another one on this machine: nobody else has its files. */
export const conversionOrigin = z.object({
  from: modelName,
  /** What its weights were stored as, by sd-cli's name. */
  type: z.string(),
  /** The version of the engine that did it. */
  engine: z.string(),
  /** Names of the files that were made; the others come from where those of the old model do. */
  files: z.array(z.string()).min(1)
});

const registryEntry = z.object({
  /** Absolute path of the source manifest when it is a local file. */
  manifest_path: z.string().optional(),
  /** Absent for models that do not come from a team store. */
  publication: publicationOrigin.optional(),
  /** Absent for models that were not made here. */
  conversion: conversionOrigin.optional(),
  manifest: registeredManifest,
  updated_at_unix_ms: z.int().min(0),
  installed: installationStamp.optional()
});

/** One generation of the registry. Entries are keyed by the model's name without regard to case. */
export const registryState = z.object({
  schema: z.literal(1),
  /** Names this generation; the next one names it as its parent. */
  id: z.string(),
  parent: z.string(),
  models: z.array(registryEntry)
});

export type PublicationOrigin = z.infer<typeof publicationOrigin>;
export type ConversionOrigin = z.infer<typeof conversionOrigin>;
export type RegistryEntry = z.infer<typeof registryEntry>;
export type RegistryState = z.infer<typeof registryState>;
export type InstallationStamp = z.infer<typeof installationStamp>;
export type InstallationVerdict = NonNullable<InstallationStamp['verdict']>;

/** The models of a registry, as they are edited. */
export type Models = readonly RegistryEntry[];

/** The name of an entry; entries are only made from manifests whose name was checked. */
export function entryName(entry: RegistryEntry): ModelName | undefined {
  return parseModelName(entry.manifest.name);
}

export function findEntry(models: Models, name: ModelName): RegistryEntry | undefined {
  return models.find((entry) => isNamed(entry, name));
}

/**
 * What the registry remembers of a bundle.
 * @param folder the bundle's, an absolute path
 * @param key {@link contentKey} of the manifest that it was installed for; undefined when nobody can tell
 */
export function stampOf(
  folder: string,
  { installed_at_unix_ms, total_size_bytes }: InstalledManifest,
  key: string | undefined
): InstallationStamp {
  const content_key = key === undefined ? {} : { content_key: key };
  return { cache_dir: folder, installed_at_unix_ms, cache_size_bytes: total_size_bytes, ...content_key };
}

/** Adds an entry, or replaces the one of the same name unless it says the same; an installation's stamp is kept. */
export function withEntry(models: Models, name: ModelName, entry: RegistryEntry): Models {
  const previous = findEntry(models, name);
  if (previous && !entry.installed && saysTheSame(previous, entry)) return models;
  const stamped = previous?.installed && !entry.installed ? { ...entry, installed: previous.installed } : entry;
  return [...models.filter((other) => !isNamed(other, name)), stamped];
}

/** Stamps or unstamps an installation; the entry itself stays. */
export function withStamp(models: Models, name: ModelName, stamp: InstallationStamp | undefined, now: number): Models {
  return models.map((entry) => {
    if (!isNamed(entry, name)) return entry;
    const { installed: _, ...rest } = entry;
    return { ...rest, updated_at_unix_ms: now, ...(stamp && { installed: stamp }) };
  });
}

/** Forgets a model; the same list when there is none of that name. */
export function withoutEntry(models: Models, name: ModelName): Models {
  return findEntry(models, name) ? models.filter((entry) => !isNamed(entry, name)) : models;
}

/**
 * Gives a model another name, with what is remembered of its installation; the same list when there is none. What was
 * made of it goes on naming it.
 * @param folder of its bundle under that name, an absolute path
 */
export function withNewName(
  models: Models,
  { from, to, folder }: { readonly from: ModelName; readonly to: ModelName; readonly folder: string },
  now: number
): Models {
  const entry = findEntry(models, from);
  if (!entry) return models;
  const { manifest, installed, ...rest } = entry;
  const renamed = {
    ...rest,
    manifest: { ...manifest, name: to },
    updated_at_unix_ms: now,
    ...(installed && { installed: { ...installed, cache_dir: folder } })
  };
  const others = models.filter((other) => other !== entry && !isNamed(other, to));
  return [...others.map((other) => madeOf(other, from, to)), renamed];
}

function madeOf(entry: RegistryEntry, from: ModelName, to: ModelName): RegistryEntry {
  const { conversion } = entry;
  const isOther = conversion === undefined || collisionKey(conversion.from) !== collisionKey(from);
  return isOther ? entry : { ...entry, conversion: { ...conversion, from: to } };
}

/** Remembers what verifications found, by {@link modelKey}; models that are not installed are passed over. */
export function withVerdicts(models: Models, verdicts: ReadonlyMap<string, InstallationVerdict>): Models {
  return models.map((entry) => {
    const name = entryName(entry);
    const verdict = name && verdicts.get(modelKey(name));
    return verdict && entry.installed ? { ...entry, installed: { ...entry.installed, verdict } } : entry;
  });
}

/** Equal for manifests that ask for the same files: then what is installed for one is what the other asks for. */
export function contentKey(manifest: RegisteredManifest): string {
  const known = contentKeys.get(manifest);
  if (known !== undefined) return known;
  const facts = manifest.files.map(({ filename, role, sha256, size_bytes }) => [filename, role, sha256, size_bytes]);
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
  contentKeys.set(manifest, key);
  return key;
}

/** Manifests are never changed once they are read, and lists ask for their keys again and again. */
const contentKeys = new WeakMap<RegisteredManifest, string>();

function isNamed(entry: RegistryEntry, name: ModelName): boolean {
  const own = entryName(entry);
  return own !== undefined && modelKey(own) === modelKey(name);
}

function saysTheSame(one: RegistryEntry, other: RegistryEntry): boolean {
  return (
    one.manifest_path === other.manifest_path &&
    isDeepStrictEqual(one.publication, other.publication) &&
    isDeepStrictEqual(one.conversion, other.conversion) &&
    isDeepStrictEqual(one.manifest, other.manifest)
  );
}
