import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { InstalledFile } from '../../../shared/manifest/installed-manifest';
import { parseModelName } from '../../../shared/model-name';
import { parseSourceAddress } from '../../../shared/source-address';
import { findCachedFile } from '../../huggingface/cache/cached-file';
import { hubCacheFolder } from '../../huggingface/hub-folders';
import type { FileFacts } from '../../manifest/fixes/facts';
import type { KnownLocally, LocalPlace, WrittenFile } from '../../manifest/fixes/fixes-elsewhere';
import { hubFileOf } from '../../manifest/hub-file';
import { errorCode, fileFailure } from '../../platform/system-error';
import { assessBundleFolder, type BundleState } from '../../store/bundle-state';
import { readDigest } from '../../store/read-digest';
import type { Services } from '../services';
import { requireTrust } from '../trust';

/** The manifest that names a file. */
export interface ManifestAround {
  /** The model that it names. */
  readonly model: string | undefined;
  /** Absolute path of its folder; undefined when it is no local file. */
  readonly folder: string | undefined;
}

interface LocalFile extends KnownLocally {
  /** What is known without reading the file, or where to read it. */
  readonly facts:
    | { readonly kind: 'known'; readonly facts: FileFacts }
    | { readonly kind: 'read'; readonly path: string };
}

type Parts = Pick<Services, 'layout' | 'environment' | 'proofs' | 'hasher' | 'isTrusted'>;

/**
 * Tells where this machine knows the files of a manifest, by looks at the disk alone; nothing in an untrusted
 * workspace. The installed model is looked at once, for all of them.
 */
export function knownLocally(
  services: Parts,
  around: ManifestAround
): (file: WrittenFile) => Promise<readonly KnownLocally[]> {
  let bundle: Promise<BundleState> | undefined;
  return async (file) => {
    if (!services.isTrusted()) return [];
    bundle ??= installedBundle(services, around);
    return find(services, file, { around, bundle: await bundle });
  };
}

/**
 * What one of those places knows of a file; the file is read where nobody noted its digest.
 * @throws Failure, among others when the file is not there any more
 */
export async function localFacts(
  services: Parts,
  place: LocalPlace,
  file: WrittenFile,
  { signal, ...around }: ManifestAround & { readonly signal: AbortSignal }
): Promise<FileFacts> {
  requireTrust(services, 'Reading files beside a manifest');
  const bundle = await installedBundle(services, around);
  const found = (await find(services, file, { around, bundle })).find((local) => local.place === place);
  if (!found) {
    throw new Failure('file-access', 'The file is not there any more.', { subject: file.filename ?? file.url });
  }
  const { facts } = found;
  if (facts.kind === 'known') return facts.facts;
  try {
    const { digest, bytes } = await readDigest(facts.path, { ...services, signal });
    return { sha256: digest, bytes };
  } catch (error) {
    throw fileFailure(error, 'The file cannot be read.', facts.path);
  }
}

interface Surroundings {
  readonly around: ManifestAround;
  readonly bundle: BundleState;
}

async function find(
  services: Parts,
  file: WrittenFile,
  { around, bundle }: Surroundings
): Promise<readonly LocalFile[]> {
  const found = await Promise.all([cached(services, file), beside(file, around)]);
  return [installed(bundle, file), ...found].flatMap((local) => local ?? []);
}

async function installedBundle({ layout }: Parts, { model }: ManifestAround): Promise<BundleState> {
  const name = model === undefined ? undefined : parseModelName(model);
  return name ? assessBundleFolder(layout.model(name)) : { kind: 'absent' };
}

/** What the manifest of the installed model notes. */
function installed(bundle: BundleState, { filename }: WrittenFile): LocalFile | undefined {
  const state = bundle.kind === 'present' ? bundle.files.find(({ file }) => file.path === filename) : undefined;
  if (!state || state.problem !== undefined) return undefined;
  const { sha256, size_bytes: bytes } = state.file;
  const parsed = { sha256, bytes };
  return { place: 'installed', title: installedTitle(state.file), facts: { kind: 'known', facts: parsed } };
}

/** A manifest has no place that says that nobody declared a digest, so the title does. */
function installedTitle({ digest_origin: origin }: InstalledFile): string {
  return origin === 'declared'
    ? 'Write the “sha256” and “size_bytes” that the installed file was proved by'
    : 'Write the “sha256” and “size_bytes” of the installed file, which nobody declared';
}

async function cached({ environment }: Parts, { url }: WrittenFile): Promise<LocalFile | undefined> {
  const address = hubFileOf(url);
  const file = address && (await findCachedFile(hubCacheFolder(environment), address));
  if (!file) return undefined;
  const { declared, bytes, path } = file;
  if (declared === undefined) {
    const title = 'Hash the file in the Hugging Face cache and write its “sha256”, which nobody declared';
    return { place: 'hub-cache', title, facts: { kind: 'read', path } };
  }
  const title = 'Write the “sha256” and “size_bytes” that the Hugging Face cache has the file by';
  return { place: 'hub-cache', title, facts: { kind: 'known', facts: { sha256: declared, bytes } } };
}

/** The file that a relative address names; else one of the file's name in the manifest's folder. */
async function beside({ url, filename }: WrittenFile, { folder }: ManifestAround): Promise<LocalFile | undefined> {
  if (folder === undefined) return undefined;
  const address = parseSourceAddress(url);
  const path = address.kind === 'relative' || address.kind === 'file' ? address.path : filename;
  if (path === undefined) return undefined;
  const absolute = address.kind === 'relative' || address.kind === 'file' ? resolve(folder, path) : join(folder, path);
  if (!(await isFile(absolute))) return undefined;
  const title = `Hash ${path} on this machine and write its “sha256” and “size_bytes”, which nobody declared`;
  return { place: 'beside', title, facts: { kind: 'read', path: absolute } };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
