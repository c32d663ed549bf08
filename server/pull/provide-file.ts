import { Failure } from '../../shared/failure';
import type { FileOrigin } from '../../shared/job-events';
import { fileFailure } from '../platform/system-error';
import type { Blob } from '../store/blob-store';
import { adoptFile } from './adopt-file';
import type { PlannedFile } from './pull-plan';
import { contentKey, type ReceiveTools, receiveFile } from './receive-file';
import { takeTurn } from './shared-transfer';

/** A file that lies in the store now. */
export interface Provided {
  readonly blob: Blob;
  /** Bytes that came from the source now. */
  readonly receivedBytes: number;
  readonly origin: FileOrigin;
}

/**
 * Brings a file into the store from where it costs least: the store itself, another place of this machine, its
 * source. Waits for its turn on a content that another process is transferring, so that no byte comes twice.
 * @throws Failure
 */
export async function provideFile(file: PlannedFile, tools: ReceiveTools): Promise<Provided> {
  if (file.digest === null) return fetchFile(file, tools);
  const present = await fromStore(file, tools);
  if (present) return present;
  const claim = await takeTurn({
    ...tools,
    partials: tools.layout.partials,
    key: contentKey(file),
    onBytes: (received) => tools.onBytes(received, file.likelyBytes)
  });
  try {
    const arrived = await fromStore(file, tools);
    if (arrived) return arrived;
    const adopted = await adoptFile(file, tools);
    if (adopted) return { blob: adopted, receivedBytes: 0, origin: 'adopted' };
    return await fetchFile(file, tools);
  } finally {
    await claim?.release();
  }
}

async function fromStore({ digest }: PlannedFile, { blobs, signal }: ReceiveTools): Promise<Provided | undefined> {
  const blob = digest === null ? undefined : await blobs.findProved(digest, signal);
  return blob && { blob, receivedBytes: 0, origin: 'stored' };
}

async function fetchFile(file: PlannedFile, tools: ReceiveTools): Promise<Provided> {
  const { log, clock, layout } = tools;
  const { label: source } = file.source;
  const startedAt = clock.now();
  log.info('starting transfer', { source, bytes: file.bytes });
  try {
    const provided = await fetchProved(file, tools);
    log.info('done transfer', { source, bytes: provided.blob.bytes, ms: clock.now() - startedAt });
    return provided;
  } catch (error) {
    const failure = fileFailure(error, 'Storing the file failed.', layout.partials);
    const code = failure instanceof Failure ? failure.code : 'unexpected';
    log.warn('failed transfer', { source, code, ms: clock.now() - startedAt });
    throw failure;
  }
}

/** A content with the wrong digest is discarded and fetched anew once, in case it was damaged on the way. */
async function fetchProved(file: PlannedFile, tools: ReceiveTools): Promise<Provided> {
  for (let isLast = false; ; isLast = true) {
    const received = await receiveFile(file, tools);
    if (received.kind === 'complete') {
      const { blob, receivedBytes, wasResumed } = received;
      return { blob, receivedBytes, origin: wasResumed ? 'resumed' : 'transferred' };
    }
    const { label: subject } = file.source;
    if (isLast) {
      throw new Failure('digest-mismatch', `${subject} does not have the content that the manifest promises.`, {
        subject,
        nextStep: `Its SHA-256 is ${received.actual}, the manifest says ${file.digest ?? ''}; check which one is right.`
      });
    }
    tools.log.warn('digest differs, fetching anew', { source: subject });
  }
}
