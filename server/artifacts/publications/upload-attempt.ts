import type { Digest } from '../../../shared/digest';
import type { ModelName } from '../../../shared/model-name';
import type { ObjectContent, ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { type ArtifactFile, artifactManifestText } from './artifact-files';
import { badPublication } from './publication-fault';
import { fileKey, MANIFEST_FILE } from './publication-keys';

/** One file to be published, and where its bytes are. */
export interface ArtifactContent extends ArtifactFile {
  readonly bytes: number;
  readonly content: ObjectContent;
}

/** Files that go to a prefix of their own, where nobody looks before a pointer names it. */
export interface Attempt {
  readonly name: ModelName;
  /** As {@link newAttempt} makes it. */
  readonly attempt: string;
  readonly contents: readonly ArtifactContent[];
}

export interface UploadOptions {
  /** Where the store has contents already. */
  readonly known: ReadonlyMap<Digest, StoreKey>;
  readonly signal: AbortSignal;
  /** Bytes that the store has of the files by now. */
  readonly onProgress: (phase: 'uploading' | 'copying', bytes: number) => void;
}

export interface Uploaded {
  readonly uploadedBytes: number;
  readonly copiedBytes: number;
}

/** How many objects are asked for at the same time. */
const HEADS_AT_ONCE = 8;

/**
 * Puts the files of an attempt into a store, its manifest last. What the store has is copied there; everything is
 * looked for once more in the end, in case somebody removed it meanwhile.
 * @throws Failure; what was put by then stays
 */
export async function uploadAttempt(store: ObjectStore, upload: Attempt, options: UploadOptions): Promise<Uploaded> {
  const { name, attempt, contents } = upload;
  const { signal, onProgress } = options;
  const known = new Map(options.known);
  let [uploadedBytes, copiedBytes] = [0, 0];
  for (const { name: file, digest, bytes, content } of contents) {
    const key = fileKey(name, attempt, file);
    const before = uploadedBytes + copiedBytes;
    const from = known.get(digest);
    if (from !== undefined && (await store.copy(from, key, signal))) {
      copiedBytes += bytes;
      onProgress('copying', before + bytes);
    } else {
      await store.put(key, content, { signal, onBytes: (sent) => onProgress('uploading', before + sent) });
      uploadedBytes += bytes;
    }
    known.set(digest, key);
  }
  const manifest = Buffer.from(artifactManifestText(contents));
  await store.put(fileKey(name, attempt, MANIFEST_FILE), { kind: 'bytes', bytes: manifest }, { signal });
  await requireAll(store, upload, manifest.length, signal);
  return { uploadedBytes, copiedBytes };
}

/** Removes what was put of an attempt that nothing names. Nothing happens where nothing is. */
export async function removeAttempt(
  store: ObjectStore,
  { name, attempt, contents }: Attempt,
  signal: AbortSignal
): Promise<void> {
  await store.delete(fileKey(name, attempt, MANIFEST_FILE), signal);
  for (const { name: file } of contents) await store.delete(fileKey(name, attempt, file), signal);
}

async function requireAll(
  store: ObjectStore,
  { name, attempt, contents }: Attempt,
  manifestBytes: number,
  signal: AbortSignal
): Promise<void> {
  const files = [...contents, { name: MANIFEST_FILE, bytes: manifestBytes }];
  for (let start = 0; start < files.length; start += HEADS_AT_ONCE) {
    const batch = files.slice(start, start + HEADS_AT_ONCE);
    await Promise.all(
      batch.map(async ({ name: file, bytes }) => {
        const key = fileKey(name, attempt, file);
        const found = await store.head(key, signal);
        if (found?.bytes === bytes) return;
        const what = found ? `has ${found.bytes} bytes instead of ${bytes}` : 'is gone again';
        throw badPublication(store, key, `A file that was just put ${what}.`, 'Try again.');
      })
    );
  }
}

/** Of all files together. */
export function bytesOf(contents: readonly ArtifactContent[]): number {
  return contents.reduce((total, { bytes }) => total + bytes, 0);
}
