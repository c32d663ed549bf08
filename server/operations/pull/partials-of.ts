import { lstat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { RegisteredFile, RegisteredManifest } from '../../../shared/manifest/registered-manifest';
import type { UnfinishedPull } from '../../../shared/model';
import { parseSourceAddress } from '../../../shared/source-address';
import { hubFileUrl } from '../../huggingface/hub-address';
import { isErrorWithCode } from '../../platform/system-error';
import type { FoundPartial } from '../../pull/partial/find-partials';
import { partialKey } from '../../pull/partial/partial-folders';
import type { CacheLayout } from '../../store/cache-layout';
import type { Services } from '../services';

type Parts = Pick<Services, 'layout' | 'environment'>;

/** What was begun of a model and is not finished; undefined when nothing was. */
export async function unfinishedPull(
  services: Parts,
  { files }: RegisteredManifest,
  found: readonly FoundPartial[]
): Promise<UnfinishedPull | undefined> {
  if (found.length === 0) return undefined;
  const partials = files.flatMap((file) => partialsOfFile(services, file, found));
  if (partials.some(({ kind }) => kind === 'elsewhere')) return { kind: 'elsewhere' };
  const receivedBytes = partials.reduce((sum, partial) => sum + bytesOf(partial), 0);
  if (receivedBytes === 0) return undefined;
  const stored = await Promise.all(files.map((file) => storedBytes(services.layout, file)));
  return { kind: 'partial', receivedBytes, heldBytes: stored.reduce((sum, bytes) => sum + bytes, receivedBytes) };
}

/** Keys of what was received of a model's files and belongs to nobody. */
export function abandonedKeys(
  services: Parts,
  { files }: RegisteredManifest,
  found: readonly FoundPartial[]
): ReadonlySet<string> {
  const partials = files.flatMap((file) => partialsOfFile(services, file, found));
  return new Set(partials.flatMap(({ kind, key }) => (kind === 'abandoned' ? [key] : [])));
}

/**
 * The partials of one file: named by its digest or its address. Where the hub told the digest, the manifest does not
 * name it, but the partial itself says where it came from. Of several the fullest is what a pull goes on with.
 */
function partialsOfFile(
  services: Parts,
  file: RegisteredFile,
  found: readonly FoundPartial[]
): readonly FoundPartial[] {
  const source = sourceIdentity(services, file);
  const names = [file.sha256, source].filter((name) => name !== undefined);
  const keys = new Set(names.map(partialKey));
  const matching = found.filter(
    (partial) =>
      keys.has(partial.key) || (partial.kind === 'abandoned' && file.sha256 === undefined && partial.source === source)
  );
  const elsewhere = matching.find(({ kind }) => kind === 'elsewhere');
  return elsewhere ? [elsewhere] : matching.toSorted((a, b) => bytesOf(b) - bytesOf(a)).slice(0, 1);
}

/** The identity that the file's source has, told without looking anything up. */
function sourceIdentity({ environment }: Parts, { url }: RegisteredFile): string | undefined {
  const address = parseSourceAddress(url);
  if (address.kind === 'http') return address.url;
  if (address.kind === 'hub') return hubFileUrl(address, environment['HF_ENDPOINT']);
  return address.kind === 'file' ? fileURLToPath(url) : undefined;
}

function bytesOf(partial: FoundPartial): number {
  return partial.kind === 'abandoned' ? partial.bytes : 0;
}

async function storedBytes(layout: CacheLayout, { sha256 }: RegisteredFile): Promise<number> {
  if (sha256 === undefined) return 0;
  try {
    return (await lstat(layout.blob(sha256))).size;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return 0;
    throw error;
  }
}
