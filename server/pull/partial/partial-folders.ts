import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { renameIfThere } from '../../platform/durable-files';
import { entriesOf } from '../../platform/folder-entries';
import {
  isElsewhere,
  isProvedDead,
  nonce,
  ownerTag,
  ownIdentity,
  parseOwnerTag
} from '../../platform/process-identity';
import { errorCode } from '../../platform/system-error';

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

/**
 * Takes the fullest of the abandoned partials of a content by renaming it; false when there is none to be had.
 * @param bytesIn tells how many bytes a partial's folder has
 */
export async function takeOver(
  partials: string,
  key: string,
  target: string,
  bytesIn: (folder: string) => Promise<number>
): Promise<boolean> {
  const found = await abandonedPartials(partials, key);
  const sized = await Promise.all(found.map(async (folder) => ({ folder, bytes: await bytesIn(folder) })));
  for (const { folder } of sized.toSorted((a, b) => b.bytes - a.bytes))
    if (await renameIfThere(folder, target)) return true;
  return false;
}

/** Removes what was received of a content that is in the store by now; what living processes own stays. */
export async function removeAbandoned(partials: string, key: string): Promise<void> {
  for (const folder of await abandonedPartials(partials, key)) await discardAbandoned(folder, partials, key);
}

/** Tidies up behind a transfer: what cannot be removed, for somebody looks at it, goes with a later start. */
export async function nowOrLater(removal: () => Promise<void>): Promise<void> {
  try {
    await removal();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** @returns paths of folders that belong to nobody */
async function abandonedPartials(partials: string, key: string): Promise<string[]> {
  const folders: string[] = [];
  for (const entry of await entriesOf(partials)) {
    if (!entry.startsWith(`${key}.`)) continue;
    if (await isAbandoned(entry.slice(key.length + 1))) folders.push(join(partials, entry));
  }
  return folders;
}

/**
 * Removes an abandoned partial; it is taken over first, so that nobody can go on with it meanwhile.
 * @returns whether it was there
 */
export async function discardAbandoned(folder: string, partials: string, key: string): Promise<boolean> {
  const { owned } = await ownFolders(partials, key);
  if (!(await renameIfThere(folder, owned))) return false;
  await rm(owned, { recursive: true, force: true });
  return true;
}

/** Whether the owner part of a partial's name tells that it belongs to nobody. */
export async function isAbandoned(tag: string): Promise<boolean> {
  if (tag.startsWith(`${FREE}~`)) return true;
  const owner = parseOwnerTag(tag);
  return owner !== undefined && isProvedDead(owner);
}

/** Whether the owner part of a partial's name tells of an owner that nobody here can ask about. */
export function isFromElsewhere(tag: string): boolean {
  const owner = parseOwnerTag(tag);
  return owner !== undefined && isElsewhere(owner);
}

/** Partials of a content whose owners nobody here can ask about. @returns paths of folders */
export async function partialsFromElsewhere(partials: string, key: string): Promise<string[]> {
  const entries = (await entriesOf(partials)).filter((entry) => entry.startsWith(`${key}.`));
  return entries.filter((entry) => isFromElsewhere(entry.slice(key.length + 1))).map((entry) => join(partials, entry));
}

export function dataPath(folder: string): string {
  return join(folder, 'data');
}

export function journalPath(folder: string): string {
  return join(folder, 'journal');
}
