import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from '../../../shared/failure';
import { MOST_FILES } from '../../../shared/manifest/source-manifest';
import { parseSourceAddress } from '../../../shared/source-address';
import { wordList } from '../../../shared/word-list';
import { nearestModelName } from '../../manifest/fixes/names';
import { writtenPath } from '../../manifest/hub-file';
import { type HubReference, parseHubReference } from '../../manifest/hub-reference';
import { type FoundFile, type NewManifest, newManifest, weightsAmong } from '../../manifest/new-manifest';
import { fileFailure } from '../../platform/system-error';
import { filesOfFolder } from '../../pull/local/folder-files';
import { readDigest } from '../../store/read-digest';
import { WEIGHTS_ENDINGS } from '../../weights/weights-name';
import { HubFacts } from '../hub/hub-facts';
import type { Services } from '../services';
import { requireTrust } from '../trust';

/** Who waits for a manifest, and hears how far it is. */
export interface MakingOptions {
  readonly signal: AbortSignal;
  /** Bytes that were hashed of those that are to be, and the file under way. */
  readonly onProgress: (hashed: number, total: number, path: string) => void;
}

/**
 * A manifest of the weights in a folder, to be saved there: addresses are relative to it. Digests are those of the
 * files as they are.
 * @param folder absolute path
 * @throws Failure
 */
export async function manifestFromFolder(
  services: Services,
  folder: string,
  { signal, onProgress }: MakingOptions
): Promise<NewManifest> {
  requireTrust(services, 'Making a manifest from a folder');
  const found = weightsOf(folder, await filesOfFolder(folder, signal));
  const total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  const files = [];
  for (const { path, absolutePath, bytes } of found) {
    const { digest } = await readDigest(absolutePath, {
      ...services,
      signal,
      onProgress: (hashed) => onProgress(before + hashed, total, path)
    }).catch((error: unknown) => {
      throw fileFailure(error, 'The file cannot be read.', absolutePath);
    });
    before += bytes;
    onProgress(before, total, path);
    const isRelative = parseSourceAddress(path).kind === 'relative';
    files.push({ path, bytes, sha256: digest, url: isRelative ? path : pathToFileURL(absolutePath).href });
  }
  return newManifest({ name: nearestModelName(basename(folder)) ?? UNNAMED }, files);
}

/**
 * A manifest of the weights in a repository of the hub, pinned to the commit that its revision means now, with digests
 * and sizes as the hub declares them. Nothing is fetched but the list of files.
 * @param reference as {@link parseHubReference} reads it
 * @throws Failure
 */
export async function manifestFromHub(
  services: Services,
  reference: string,
  signal: AbortSignal
): Promise<NewManifest> {
  const named = parseHubReference(reference.trim());
  if (!named) {
    throw new Failure('bad-request', 'This names no repository of the hub.', {
      subject: reference,
      nextStep: 'Write OWNER/REPO, OWNER/REPO@REVISION, or the address of the repository’s page.'
    });
  }
  const hub = new HubFacts(services, { alias: undefined, signal });
  const { files } = await hub.listing(named);
  const commit = await hub.commit(named);
  const listed = [...files].map(([path, { bytes, sha256 }]) => ({ path, bytes, sha256: sha256 ?? undefined }));
  const { owner, repo } = named;
  const repository = `hf:${owner}/${repo}`;
  const wanted = listed.filter(({ path }) => isWanted(path, named));
  const found = weightsOf(repository, wanted);
  const described = found.map((file) => ({
    ...file,
    url: `${repository}@${commit}/${requireWritten(file.path, repository)}`
  }));
  return newManifest({ name: nearestModelName(repo) ?? UNNAMED, source: repository, revision: commit }, described);
}

/** @throws Failure when no address can name the file */
function requireWritten(path: string, subject: string): string {
  const written = writtenPath(path);
  if (written !== undefined) return written;
  throw new Failure('bad-response', `The hub lists the file ${JSON.stringify(path)}, whose name is no valid text.`, {
    subject,
    nextStep: 'Name a folder or file of the repository without it.'
  });
}

/** For folders and repositories whose names hold nothing that a model's name may. */
const UNNAMED = 'new-model';

function isWanted(path: string, { path: wanted }: HubReference): boolean {
  return wanted === undefined || path === wanted || path.startsWith(`${wanted}/`);
}

/** @throws Failure when there are none, or more than a manifest lists */
function weightsOf<File extends FoundFile>(subject: string, files: readonly File[]): readonly File[] {
  const found = weightsAmong(files);
  if (found.length === 0) {
    throw new Failure('bad-request', 'There are no weights to make a manifest of.', {
      subject,
      nextStep: `Names of files with weights end in ${wordList(WEIGHTS_ENDINGS)}.`
    });
  }
  if (found.length > MOST_FILES) {
    const message = `A manifest lists at most ${MOST_FILES} files, and here are ${found.length} with weights.`;
    throw new Failure('bad-request', message, { subject, nextStep: 'Name one of the folders inside.' });
  }
  return found;
}
