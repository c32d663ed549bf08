import type { Digest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import type { FileOrigin } from '../../shared/job-events';
import { fileFailure } from '../platform/system-error';
import type { Blob } from '../store/blob-store';
import { adoptFile } from './adopt-file';
import type { ExpectedFile } from './expected-file';
import { PartialDownload } from './partial/partial-download';
import { nowOrLater } from './partial/partial-folders';
import { piecesOf } from './partial/pieces';
import type { PlannedFile } from './pull-plan';
import { contentKey, type ReceiveTools, receiveFile } from './receive-file';
import { seedFrom } from './repair';
import { takeTurn } from './transfer/shared-transfer';
import { logged } from './transfer-log';

/** A file that lies in the store now. */
export interface Provided {
  readonly blob: Blob;
  /** Bytes that came from the source now. */
  readonly receivedBytes: number;
  readonly origin: FileOrigin;
}

/**
 * Brings a file into the store from where it costs least: the store itself, another place of this machine, what is
 * right of a damaged copy, its source. Waits for its turn on a content that another process is transferring, so that
 * no byte comes twice.
 * @throws Failure
 */
export async function provideFile(file: PlannedFile, tools: ReceiveTools): Promise<Provided> {
  try {
    return await (file.digest === null ? fetchFile(file, 0, tools) : provideContent(file, file.digest, tools));
  } catch (error) {
    throw fileFailure(error, 'Storing the file failed.', tools.layout.partials);
  }
}

async function provideContent(file: PlannedFile, digest: Digest, tools: ReceiveTools): Promise<Provided> {
  const { layout, blobs, signal } = tools;
  let seededBytes = 0;
  const fromStore = (): Promise<Blob | undefined> =>
    blobs.findProved(digest, signal, {
      preferred: file.seeds ?? [],
      salvage: async (damaged) => {
        seededBytes += await seed(file, [damaged], tools);
      }
    });
  const present = await fromStore();
  if (present) return stored(present);
  const key = contentKey(file);
  const onBytes = (received: number): void => tools.onBytes(received, file.likelyBytes);
  const claim = await takeTurn({
    ...tools,
    silenceMs: tools.tuning.silenceMs,
    partials: layout.partials,
    key,
    onBytes
  });
  try {
    const arrived = await fromStore();
    const adoption = arrived ? undefined : await adoptFile(file, tools);
    const blob = arrived ?? (adoption?.kind === 'adopted' ? adoption.blob : undefined);
    if (blob) return { ...stored(blob), origin: arrived ? 'stored' : 'adopted' };
    seededBytes += adoption?.kind === 'not-found' ? adoption.keptBytes : 0;
    seededBytes += await seed(file, seedsOf(file), tools);
    return await fetchFile(file, seededBytes, tools);
  } finally {
    // What came of the transfer counts; one that stays shows no life, and nobody waits long for it.
    await nowOrLater(async () => claim?.release());
  }
}

function stored(blob: Blob): Provided {
  return { blob, receivedBytes: 0, origin: 'stored' };
}

/** A candidate that was named by the digest and is not adopted is a damaged copy. */
function seedsOf({ seeds = [], candidates }: PlannedFile): readonly string[] {
  return [...seeds, ...candidates.flatMap(({ path, isNamedByDigest }) => (isNamedByDigest ? [path] : []))];
}

/** @returns how many bytes were taken over from seeds */
async function seed(file: PlannedFile, seeds: readonly string[], tools: ReceiveTools): Promise<number> {
  if (seeds.length === 0 || piecesOf(file.bytes, file.pieces).length === 0) return 0;
  const partial = await PartialDownload.claim(tools.layout.partials, contentKey(file), tools.clock.elapsed);
  const { bytes: before } = partial;
  try {
    await seedFrom(seeds, partial, file, tools);
    return Math.max(0, partial.bytes - before);
  } finally {
    await partial.release();
  }
}

function fetchFile(file: PlannedFile, seededBytes: number, tools: ReceiveTools): Promise<Provided> {
  return logged(file, tools, (noted) => fetchProved(file, seededBytes, noted));
}

/**
 * A content with the wrong digest is fetched anew once, in case it was damaged on the way: all of it, or what its
 * pieces do not prove.
 */
async function fetchProved(file: PlannedFile, seededBytes: number, tools: ReceiveTools): Promise<Provided> {
  let keptBytes = seededBytes;
  let receivedBytes = 0;
  for (let isLast = false; ; isLast = true) {
    const received = await receiveFile(file, tools, { copies: !isLast });
    receivedBytes += received.receivedBytes;
    if (received.kind === 'complete') {
      if (file.source.isLocal) return { blob: received.blob, receivedBytes: 0, origin: 'adopted' };
      const origin = keptBytes > 0 ? 'repaired' : received.wasResumed ? 'resumed' : 'transferred';
      return { blob: received.blob, receivedBytes, origin };
    }
    if (isLast) throw otherContent(file, received.actual);
    ({ keptBytes } = received);
    tools.log.warn('digest differs, fetching anew', { source: file.source.label, keptBytes });
  }
}

/** The failure of a source that has another content than was promised. */
export function otherContent({ source, digest, gitSha1 }: ExpectedFile, actual: string): Failure {
  const { label: subject } = source;
  return new Failure('digest-mismatch', `${subject} does not have the content that was promised.`, {
    subject,
    nextStep: `Its digest is ${actual} and should be ${digest ?? gitSha1 ?? ''}; check which one is right.`
  });
}
