import { join } from 'node:path';
import { entriesOf } from '../../platform/folder-entries';
import { ownerTag, ownIdentity } from '../../platform/process-identity';
import { recordedPartial } from './partial-download';
import { isAbandoned } from './partial-folders';

/** What was received of a content, or is being received by another process. */
export type FoundPartial =
  | {
      readonly kind: 'abandoned';
      readonly key: string;
      /** Bytes that the next pull need not transfer. */
      readonly bytes: number;
      /** Identity of the source that they came from; null when nothing was begun. */
      readonly source: string | null;
    }
  | { readonly kind: 'elsewhere'; readonly key: string };

/** Every partial but those that this process is working on. Only what nobody works on is read. */
export async function findPartials(partials: string): Promise<readonly FoundPartial[]> {
  const own = ownerTag(await ownIdentity(), '');
  const found = await Promise.all(
    (await entriesOf(partials)).map(async (entry): Promise<FoundPartial | undefined> => {
      const [key = '', ...rest] = entry.split('.');
      const tag = rest.join('.');
      if (!tag.includes('~') || tag.startsWith('claim') || tag.startsWith(own)) return undefined;
      if (!(await isAbandoned(tag))) return { kind: 'elsewhere', key };
      return { kind: 'abandoned', key, ...(await recordedPartial(join(partials, entry))) };
    })
  );
  return found.filter((partial) => partial !== undefined);
}
