import { Failure, messageOf } from '../../shared/failure';
import { errorCode } from '../platform/system-error';
import type { Blob } from '../store/blob-store';
import type { PlannedFile } from './pull-plan';
import type { ReceiveTools } from './receive-file';

/**
 * Writes a transfer's beginning and end into the log: none begins without an end. Addresses come without their query,
 * which may be a signature.
 */
export async function logged<T extends { readonly blob: Blob }>(
  { filename, source, bytes }: PlannedFile,
  tools: ReceiveTools,
  transfer: (tools: ReceiveTools) => Promise<T>
): Promise<T> {
  const { log, clock } = tools;
  const about = { url: source.label, destination: filename };
  const startedAt = clock.elapsed();
  const elapsed = (): number => Math.round(clock.elapsed() - startedAt);
  let onDisk = 0;
  const onBytes: ReceiveTools['onBytes'] = (received, total) => {
    onDisk = received;
    tools.onBytes(received, total);
  };
  log.info('starting transfer', { ...about, bytes });
  try {
    const done = await transfer({ ...tools, onBytes });
    log.info('done transfer', { ...about, bytes: done.blob.bytes, ms: elapsed() });
    return done;
  } catch (error) {
    const code = error instanceof Failure ? error.code : (errorCode(error) ?? 'unexpected');
    const status = error instanceof Failure ? (error.status ?? null) : null;
    log.warn('failed transfer', { ...about, bytes: onDisk, ms: elapsed(), code, status, error: messageOf(error) });
    throw error;
  }
}
