import { messageOf } from '../../../shared/failure';
import type { Log } from '../../platform/log';
import type { ExpectedFile } from '../expected-file';
import { type PartialDownload, readPartial } from '../partial/partial-download';
import { partialsFromElsewhere } from '../partial/partial-folders';
import { copyParts } from './copy-parts';

export interface ElsewhereOptions {
  /** Folder of all partials. */
  readonly partials: string;
  /** Key of the content. */
  readonly key: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Takes into a new partial what others have received of its content of whom nobody here knows whether they live: on
 * another host, or in another container. Theirs is only read, for they may be at it; ours is proved by the digest in
 * the end, without which nothing is taken.
 * @throws Failure('cancelled')
 */
export async function goOnFromElsewhere(
  partial: PartialDownload,
  { digest, bytes }: ExpectedFile,
  { partials, key, log, signal }: ElsewhereOptions
): Promise<void> {
  if (digest === null || partial.bytes > 0) return;
  for (const folder of await partialsFromElsewhere(partials, key)) {
    try {
      const { content, ranges, dataPath } = await readPartial(folder);
      if (content === null || content.total === null || ranges.length === 0) continue;
      if (bytes !== null && content.total !== bytes) continue;
      await copyParts(dataPath, ranges, partial, signal);
      await partial.recount(content, ranges);
      log.info('went on from a copy', { folder, bytes: partial.bytes });
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn('partial passed over', { folder, reason: messageOf(error) });
    }
  }
}
