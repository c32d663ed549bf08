import { lstat } from 'node:fs/promises';
import { Failure } from '../../shared/failure';
import { freeBytes } from '../platform/disk-space';
import type { Log } from '../platform/log';
import { isErrorWithCode } from '../platform/system-error';
import type { CacheLayout } from '../store/cache-layout';
import type { WantedFile } from './expected-file';
import { partialKey } from './partial-folders';
import { largestPartial } from './shared-transfer';

/** A file with all that can be known of it before its first byte. */
export interface PlannedFile extends WantedFile {
  /** Size in bytes as it is likely to be: exact, or what the source said when it was asked; null when nobody knows. */
  readonly likelyBytes: number | null;
  /** `stored`: the content lies in the blob store. `partial`: some of it was received before. */
  readonly presence: 'stored' | 'partial' | 'absent';
  /** Bytes that need not be transferred. */
  readonly heldBytes: number;
}

/** What a pull is going to do. */
export interface PullPlan {
  readonly files: readonly PlannedFile[];
  /** Bytes of all files; null while the size of one is unknown. */
  readonly totalBytes: number | null;
  /** Bytes that are still to come, as far as sizes are known. */
  readonly missingBytes: number;
  /** Free space for the cache, or undefined when the platform does not tell. */
  readonly freeBytes: number | undefined;
}

/** Room that is left free on the disk, in bytes. */
const CUSHION_BYTES = 1024 ** 3;

/** How many sources are asked at the same time. */
const PROBES_AT_ONCE = 8;

/**
 * Finds out, before the first byte, what every file's size is, what is here already, and what remains. Sources are
 * only asked for what the manifest does not say.
 * @throws Failure when a file is certainly not to be had
 */
export async function planPull(
  files: readonly WantedFile[],
  { layout, signal }: { readonly layout: CacheLayout; readonly signal: AbortSignal }
): Promise<PullPlan> {
  const planned: PlannedFile[] = [];
  // A few at a time: a manifest may list thousands of files on one host.
  for (let start = 0; start < files.length; start += PROBES_AT_ONCE) {
    const batch = files.slice(start, start + PROBES_AT_ONCE);
    planned.push(...(await Promise.all(batch.map((file) => planFile(file, layout, signal)))));
  }
  const sizes = planned.map(({ likelyBytes }) => likelyBytes);
  return {
    files: planned,
    totalBytes: sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0),
    missingBytes: planned.reduce((sum, file) => sum + Math.max(0, (file.likelyBytes ?? 0) - file.heldBytes), 0),
    freeBytes: await freeBytes(layout.root)
  };
}

/** @throws Failure('disk-full') when the plan would not leave room to spare; a size nobody knows does not count */
export function requireSpace(plan: PullPlan, layout: CacheLayout, log: Log): void {
  const { missingBytes: needed, freeBytes: free } = plan;
  if (free === undefined) {
    log.warn('free space unknown', { folder: layout.root });
    return;
  }
  if (needed === 0 || free >= needed + CUSHION_BYTES) return;
  throw new Failure('disk-full', `The pull needs ${needed} bytes and 1 GiB to spare; ${free} bytes are free.`, {
    subject: layout.root,
    nextStep: 'Free some space, or move the cache to another disk.'
  });
}

async function planFile(wanted: WantedFile, layout: CacheLayout, signal: AbortSignal): Promise<PlannedFile> {
  const asks = wanted.bytes === null || wanted.digest === null;
  const stored = await storedBytes(wanted, layout);
  if (stored !== undefined) return { ...wanted, ...storedFacts(stored) };
  const probed = asks ? await wanted.source.probe(signal) : undefined;
  const file: WantedFile = {
    ...wanted,
    bytes: wanted.bytes ?? (probed?.isExact ? probed.bytes : null),
    digest: wanted.digest ?? probed?.digest ?? null
  };
  const held = await storedBytes(file, layout);
  if (held !== undefined) return { ...file, ...storedFacts(held) };
  const likelyBytes = file.bytes ?? probed?.bytes ?? null;
  const received = await largestPartial(layout.partials, partialKey(file.digest ?? file.source.identity));
  return { ...file, likelyBytes, presence: received > 0 ? 'partial' : 'absent', heldBytes: received };
}

function storedFacts(bytes: number) {
  return { bytes, likelyBytes: bytes, presence: 'stored', heldBytes: bytes } as const;
}

/** Size of a content that lies in the store; it is proved by reading when it is used. */
async function storedBytes({ digest, bytes }: WantedFile, layout: CacheLayout): Promise<number | undefined> {
  if (digest === null) return undefined;
  try {
    const { size } = await lstat(layout.blob(digest));
    return bytes === null || bytes === size ? size : undefined;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
