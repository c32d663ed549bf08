import { createHash } from 'node:crypto';
import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { renameIfThere } from '../platform/durable-files';
import { entriesOf } from '../platform/folder-entries';
import { isElsewhere, isProvedDead, nonce, ownerTag, ownIdentity, parseOwnerTag } from '../platform/process-identity';
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
  for (const folder of await abandonedPartials(partials, key)) await discard(folder, partials, key);
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

/** Removes an abandoned partial; it is taken over first, so that nobody can go on with it meanwhile. */
async function discard(folder: string, partials: string, key: string): Promise<boolean> {
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

function isFromElsewhere(tag: string): boolean {
  const owner = parseOwnerTag(tag);
  return owner !== undefined && isElsewhere(owner);
}

/** Partials of a content whose owners nobody here can ask about. @returns paths of folders */
export async function partialsFromElsewhere(partials: string, key: string): Promise<string[]> {
  const entries = (await entriesOf(partials)).filter((entry) => entry.startsWith(`${key}.`));
  return entries.filter((entry) => isFromElsewhere(entry.slice(key.length + 1))).map((entry) => join(partials, entry));
}

/** An age that is over the limit by more, or below nothing, tells more of a clock that was moved than of the partial. */
const PLAUSIBLE_EXCESS_MS = 76 * 24 * 3600 * 1000;

/**
 * Removes partials that nobody has gone on with for a while, and those without data, which a crash leaves whose data
 * was complete. Those of living processes are left alone; of other hosts only the age is known. Where the clock was
 * moved, the time begins anew.
 * @param limits in milliseconds: now since the epoch, and how long a partial is kept, which may be for ever
 * @returns how many were removed
 */
export async function collectPartials(partials: string, limits: KeepLimits): Promise<number> {
  let removed = 0;
  for (const entry of await entriesOf(partials)) {
    const [key = '', ...rest] = entry.split('.');
    const tag = rest.join('.');
    if (!(await isAbandoned(tag)) && !isFromElsewhere(tag)) continue;
    const folder = join(partials, entry);
    if ((await isWorthless(folder, limits)) && (await discard(folder, partials, key))) removed += 1;
  }
  return removed;
}

interface KeepLimits {
  readonly now: number;
  readonly keptMs: number;
}

async function isWorthless(folder: string, { now, keptMs }: KeepLimits): Promise<boolean> {
  try {
    await stat(dataPath(folder));
    const age = now - (await stat(journalPath(folder))).mtimeMs;
    const isPlausible = age >= 0 && age <= keptMs + PLAUSIBLE_EXCESS_MS;
    if (!isPlausible) await utimes(journalPath(folder), new Date(now), new Date(now));
    return isPlausible && age > keptMs;
  } catch (error) {
    // Data without a journal counts for nothing either.
    if (isErrorWithCode(error, 'ENOENT')) return true;
    throw error;
  }
}

export function dataPath(folder: string): string {
  return join(folder, 'data');
}

export function journalPath(folder: string): string {
  return join(folder, 'journal');
}
