import { lstat } from 'node:fs/promises';
import type { Digest } from '../../shared/digest';
import { areCopiesFree } from '../platform/free-copies';
import type { Log } from '../platform/log';
import { isErrorWithCode } from '../platform/system-error';
import { type BundleFile, bundleFiles } from '../store/bundle-index';
import type { CacheLayout } from '../store/cache-layout';
import { type FreeBytes, lacksRoom, requireRoom } from './disk-room';
import type { WantedFile } from './expected-file';
import { type AdoptionCandidate, type AdoptionPlace, findCandidates } from './local/adoption-place';
import { partialKey } from './partial/partial-folders';
import { largestPartial } from './transfer/shared-transfer';

/** A file with all that can be known of it before its first byte. */
export interface PlannedFile extends WantedFile {
  /** Size in bytes as it is likely to be: exact, or what the source said when it was asked; null when nobody knows. */
  readonly likelyBytes: number | null;
  /**
   * `stored`: the content lies in the blob store. `adoptable`: a file of this machine may hold it, which hashing will
   * tell. `local`: its source lies on this machine. `partial`: some of it was received before.
   */
  readonly presence: 'stored' | 'adoptable' | 'local' | 'partial' | 'absent';
  /** Bytes that need not be transferred. */
  readonly heldBytes: number;
  /** Bytes that the cache has of it by now. */
  readonly cachedBytes: number;
  /** Absolute path of a stored content. */
  readonly storedAt?: string;
  /** Files of this machine that may hold the content; of an adoptable file at least one. */
  readonly candidates: readonly AdoptionCandidate[];
}

/** What a pull is going to do. */
export interface PullPlan {
  readonly files: readonly PlannedFile[];
  /** Bytes of all files; null while the size of one is unknown. */
  readonly totalBytes: number | null;
  /** Bytes that are still to come, as far as sizes are known. */
  readonly missingBytes: number;
  /**
   * Bytes that are to be written, as far as sizes are known. What is adopted counts, for it may have to be copied; where
   * the bundle cannot share bytes with the store, its copies count too.
   */
  readonly neededBytes: number;
  /** Free space for the cache, or undefined when the platform does not tell. */
  readonly freeBytes: number | undefined;
}

/** How many sources are asked at the same time. */
const PROBES_AT_ONCE = 8;

export interface PlanOptions {
  readonly layout: CacheLayout;
  /** Where identical bytes may lie. */
  readonly places: readonly AdoptionPlace[];
  readonly freeBytes: FreeBytes;
  readonly signal: AbortSignal;
}

/**
 * Finds out, before the first byte, what every file's size is, what is here already, and what remains. Sources are
 * only asked for what the manifest does not say; nothing is hashed.
 * @throws Failure when a file is certainly not to be had
 */
export async function planPull(
  files: readonly WantedFile[],
  { layout, places, freeBytes, signal }: PlanOptions
): Promise<PullPlan> {
  const resolved: PlannedFile[] = [];
  // A folder that a pull has made by now; where it is not there yet, a plan makes none.
  const areShared = await areCopiesFree(layout.operations);
  const stored = storedContents(layout, areShared ? [] : await bundleFiles(layout));
  // A few at a time: a manifest may list thousands of files on one host.
  for (let start = 0; start < files.length; start += PROBES_AT_ONCE) {
    const batch = files.slice(start, start + PROBES_AT_ONCE);
    resolved.push(...(await Promise.all(batch.map((file) => planFile(file, stored, layout, signal)))));
  }
  const planned = await withCandidates(resolved, places, signal);
  const copies = areShared || planned.every(isInPlace) ? [] : planned;
  const sizes = planned.map(({ likelyBytes }) => likelyBytes);
  return {
    files: planned,
    totalBytes: sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0),
    missingBytes: sumOf(planned, ({ likelyBytes, heldBytes }) => (likelyBytes ?? 0) - heldBytes),
    neededBytes:
      sumOf(planned, ({ likelyBytes, cachedBytes }) => (likelyBytes ?? 0) - cachedBytes) +
      sumOf(copies, ({ likelyBytes }) => likelyBytes ?? 0),
    freeBytes: await freeBytes(layout.root)
  };
}

/** @throws Failure('disk-full') when the plan would not leave room to spare; a size nobody knows does not count */
export function requireSpace(plan: PullPlan, layout: CacheLayout, log: Log): void {
  const { neededBytes: needed, freeBytes: free } = plan;
  if (free === undefined) {
    log.warn('free space unknown', { folder: layout.root });
    return;
  }
  if (needed > 0) requireRoom(needed, free, layout.root);
}

/** Whether a plan is known not to leave room to spare. */
export function lacksSpace({ neededBytes, freeBytes: free }: PullPlan): boolean {
  return neededBytes > 0 && lacksRoom(neededBytes, free);
}

function sumOf(files: readonly PlannedFile[], bytes: (file: PlannedFile) => number): number {
  return files.reduce((sum, file) => sum + Math.max(0, bytes(file)), 0);
}

/** Looks for what is not here among the files of other programs. */
async function withCandidates(
  files: readonly PlannedFile[],
  places: readonly AdoptionPlace[],
  signal: AbortSignal
): Promise<readonly PlannedFile[]> {
  const sought = files.flatMap(({ digest, bytes, filename, presence }) =>
    digest === null || presence === 'stored' || presence === 'local' ? [] : [{ digest, bytes, filename }]
  );
  const found = await findCandidates(places, sought, signal);
  return files.map((file) => {
    const candidates = file.digest === null || file.source.isLocal ? undefined : found.get(file.digest);
    const [first] = candidates ?? [];
    if (!candidates || !first) return file;
    const likelyBytes = file.bytes ?? first.bytes;
    return { ...file, likelyBytes, presence: 'adoptable', heldBytes: likelyBytes, candidates };
  });
}

/** Whether a file lies where the bundle has it: where all do, nothing is copied. */
function isInPlace({ storedAt, seeds = [] }: PlannedFile): boolean {
  return storedAt !== undefined && seeds.includes(storedAt);
}

async function planFile(
  wanted: WantedFile,
  findStored: FindStored,
  layout: CacheLayout,
  signal: AbortSignal
): Promise<PlannedFile> {
  const asks = wanted.bytes === null || wanted.digest === null;
  const stored = await findStored(wanted);
  if (stored) return { ...wanted, ...storedFacts(stored) };
  const probed = asks ? await wanted.source.probe(signal) : undefined;
  const file: WantedFile = {
    ...wanted,
    bytes: wanted.bytes ?? (probed?.isExact ? probed.bytes : null),
    digest: wanted.digest ?? probed?.digest ?? null,
    gitSha1: probed?.gitSha1
  };
  const held = await findStored(file);
  if (held) return { ...file, ...storedFacts(held) };
  const likelyBytes = file.bytes ?? probed?.bytes ?? null;
  const received = await largestPartial(layout.partials, partialKey(file.digest ?? file.source.identity));
  const facts = { ...file, likelyBytes, cachedBytes: received, candidates: [] };
  if (file.source.isLocal) return { ...facts, presence: 'local', heldBytes: likelyBytes ?? 0 };
  return { ...facts, presence: received > 0 ? 'partial' : 'absent', heldBytes: received };
}

/** What is stored may turn out to be damaged, so its size is promised to nobody. */
function storedFacts({ path, bytes }: StoredContent) {
  return {
    storedAt: path,
    likelyBytes: bytes,
    presence: 'stored',
    heldBytes: bytes,
    cachedBytes: bytes,
    candidates: []
  } as const;
}

interface StoredContent {
  readonly path: string;
  readonly bytes: number;
}

type FindStored = (file: WantedFile) => Promise<StoredContent | undefined>;

/**
 * Finds contents that lie in the store, or else in bundles; they are proved by reading when they are used.
 * @param installed files of bundles that count, for they may be the only copies
 */
function storedContents(layout: CacheLayout, installed: readonly BundleFile[]): FindStored {
  const copies = new Map<Digest, readonly string[]>();
  for (const { digest, path } of installed) copies.set(digest, [...(copies.get(digest) ?? []), path]);
  return async ({ digest, bytes, seeds = [] }) => {
    if (digest === null) return undefined;
    const paths = copies.get(digest) ?? [];
    const inPlace = paths.filter((path) => seeds.includes(path));
    for (const path of [layout.blob(digest), ...inPlace, ...paths]) {
      const size = await sizeOf(path);
      if (size !== undefined && (bytes === null || bytes === size)) return { path, bytes: size };
    }
    return undefined;
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
