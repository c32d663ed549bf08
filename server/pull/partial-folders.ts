import { createHash } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { entriesOf } from '../platform/folder-entries';
import { isProvedDead, nonce, ownerTag, ownIdentity, parseOwnerTag } from '../platform/process-identity';
import { isErrorWithCode } from '../platform/system-error';

/** Marks a partial that its owner let go; anybody may take it over. */
const FREE = 'free';

/** Names the content that a partial is for: its digest when one is declared, else where it comes from. */
export function partialKey(contentName: string): string {
  return createHash('sha256').update(contentName).digest('hex').slice(0, 32);
}

/** The folder names of one transfer: while it is ours, and once it is let go. */
export interface PartialFolders {
  readonly owned: string;
  readonly free: string;
}

/** New folder names for a transfer of this process. @param partials folder of all partials */
export async function ownFolders(partials: string, key: string): Promise<PartialFolders> {
  const unique = nonce();
  const owner = ownerTag(await ownIdentity(), unique);
  return { owned: join(partials, `${key}.${owner}`), free: join(partials, `${key}.${FREE}~${unique}`) };
}

/** Takes one abandoned partial of the content by renaming it; false when there is none to be had. */
export async function takeOver(partials: string, key: string, target: string): Promise<boolean> {
  for (const entry of await entriesOf(partials)) {
    if (!entry.startsWith(`${key}.`)) continue;
    const tag = entry.slice(key.length + 1);
    if (!(await isAbandoned(tag))) continue;
    try {
      await rename(join(partials, entry), target);
      return true;
    } catch (error) {
      // Another claimant was faster.
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
  }
  return false;
}

/** Removes what was received of a content that is in the store by now; what living processes own stays. */
export async function removeAbandoned(partials: string, key: string): Promise<void> {
  for (;;) {
    const { owned } = await ownFolders(partials, key);
    if (!(await takeOver(partials, key, owned))) return;
    await rm(owned, { recursive: true, force: true });
  }
}

async function isAbandoned(tag: string): Promise<boolean> {
  if (tag.startsWith(`${FREE}~`)) return true;
  const owner = parseOwnerTag(tag);
  return owner !== undefined && isProvedDead(owner);
}

/**
 * Removes partials that nobody has gone on with for a while. Each is taken over first, so that nobody can go on with
 * it meanwhile; those of living processes are left alone.
 * @param olderThan milliseconds since the epoch
 * @returns how many were removed
 */
export async function collectPartials(partials: string, olderThan: number): Promise<number> {
  let removed = 0;
  for (const entry of await entriesOf(partials)) {
    const [key = '', ...rest] = entry.split('.');
    if (!(await isAbandoned(rest.join('.')))) continue;
    try {
      if ((await lastChange(join(partials, entry))) >= olderThan) continue;
      const { owned } = await ownFolders(partials, key);
      await rename(join(partials, entry), owned);
      await rm(owned, { recursive: true, force: true });
      removed += 1;
    } catch (error) {
      // Another process was faster.
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
  }
  return removed;
}

/** When the journal was written last; of a partial that never came to one, when its folder was. In ms. */
async function lastChange(folder: string): Promise<number> {
  try {
    return (await stat(join(folder, 'journal'))).mtimeMs;
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
    return (await stat(folder)).mtimeMs;
  }
}
