import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootId } from '../../server/platform/process-identity';
import type { ByteRanges } from '../../server/pull/partial/byte-ranges';
import { formatJournalLine, type JournalLine, syncedLine } from '../../server/pull/partial/journal';
import { partialKey } from '../../server/pull/partial/partial-folders';
import type { CacheLayout } from '../../server/store/cache-layout';

/** A transfer that somebody let go of. */
export interface LeftPartial {
  /** The declared digest, else the address. */
  readonly of: string;
  readonly source: string;
  /** The whole content; only the ranges of it are written, the rest is zeros. */
  readonly content: Buffer;
  readonly ranges: ByteRanges;
  readonly validator?: string | null;
  /** What follows the key in the folder's name. */
  readonly tag?: string;
}

/** Writes a partial as a transfer leaves it. @returns its folder */
export async function leavePartial(layout: CacheLayout, partial: LeftPartial): Promise<string> {
  const { of, content, ranges, tag = 'free~1' } = partial;
  const folder = join(layout.partials, `${partialKey(of)}.${tag}`);
  await mkdir(folder, { recursive: true });
  const data = Buffer.alloc(content.length);
  for (const { start, end } of ranges) content.copy(data, start, start, end);
  await writeFile(join(folder, 'data'), data);
  await writeFile(join(folder, 'journal'), (await journalLines(partial)).map(formatJournalLine).join(''));
  return folder;
}

/** The journal that says so. */
export async function journalLines({
  source,
  content,
  ranges,
  validator = '"v1"'
}: LeftPartial): Promise<JournalLine[]> {
  return [
    { type: 'boot', id: await bootId() },
    { type: 'begun', source, validator, total: content.length },
    ...ranges.map(({ start, end }): JournalLine => ({ type: 'written', start, end })),
    syncedLine(ranges)
  ];
}
