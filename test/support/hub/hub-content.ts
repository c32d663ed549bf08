import { createHash } from 'node:crypto';
import { sha256 } from '../sample-bytes';

/** A file of a repository on the hub: large ones are kept apart from git and named by their SHA-256. */
export interface HubContent {
  readonly bytes: Buffer;
  readonly isLarge: boolean;
}

/** The SHA-1 by which git names a content. */
function gitSha1(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** The name of a content in a cache's `blobs`: what the hub sends as its ETag. */
export function etagOf({ bytes, isLarge }: HubContent): string {
  return isLarge ? sha256(bytes) : gitSha1(bytes);
}

/** A commit made up for a test. */
export function commitOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** What git keeps of a large file in its place. */
function pointerOf(bytes: Uint8Array): Buffer {
  return Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\nsize ${bytes.length}\n`);
}

/** The hub's own entry for a file, as its API gives it. */
export function apiEntry(path: string, { bytes, isLarge }: HubContent) {
  const pointer = pointerOf(bytes);
  return {
    type: 'file',
    path,
    size: bytes.length,
    oid: gitSha1(isLarge ? pointer : bytes),
    ...(isLarge && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: pointer.length } })
  };
}

/** The entry for a file in `trees/<commit>.json`. */
export function treeEntry(content: HubContent) {
  const { size, oid, lfs } = apiEntry('', content);
  return { size, blob_id: oid, ...(lfs && { lfs_sha256: lfs.oid, lfs_size: lfs.size }) };
}
