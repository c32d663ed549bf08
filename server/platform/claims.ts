import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { makeDirectoryDurably } from './durable-files';
import { createFileDurably, readCreatedFile, removeCreatedFile } from './exclusive-files';
import { entriesOf } from './folder-entries';
import { isProvedDead, nonce, ownIdentity } from './process-identity';
import { processRecord } from './process-record';
import { isErrorWithCode } from './system-error';

/** Who holds a claim; the nonce tells two claims of one process apart. */
const claimRecord = z.object({ owner: processRecord, nonce: z.string().regex(/^[0-9a-f]+$/) });

type ClaimRecord = z.infer<typeof claimRecord>;

/** A claim that this process holds. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Tries to be the one who does some work. Claims only save double work: nothing may become wrong when two processes
 * hold one. A claim that is no file of ours and cannot be read counts as held.
 * @param path absolute path of the claim's file
 * @returns undefined while a living process, this one included, holds the claim
 */
export async function tryClaim(path: string): Promise<Claim | undefined> {
  const record: ClaimRecord = { owner: await ownIdentity(), nonce: nonce() };
  await makeDirectoryDurably(dirname(path));
  for (;;) {
    if (await claimed(path, record)) return { release: () => release(path, record) };
    const found = await readClaim(path);
    if (found.kind === 'gone') continue;
    if (await isHeld(found)) return undefined;
    if (!(await bury(path, found, JSON.stringify(record)))) return undefined;
  }
}

/** @returns whether nobody was before us @throws system errors; the claim is not held then */
async function claimed(path: string, record: ClaimRecord): Promise<boolean> {
  try {
    if (!(await createFileDurably(path, JSON.stringify(record)))) return false;
    await removeTombstones(path);
    return true;
  } catch (error) {
    // It may be there already, and everybody would wait for it as long as this process lives.
    await release(path, record).catch(() => undefined);
    throw error;
  }
}

/** Removes the claims that dead processes left in a folder: all files there that end in `.claim`. */
export async function sweepClaims(folder: string): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    if (!entry.endsWith('.claim')) continue;
    const claim = await tryClaim(join(folder, entry));
    await claim?.release();
  }
}

/** What lies at a claim's path; `torn` is a text that no holder can have written. */
type Found =
  | { readonly kind: 'gone' | 'torn' | 'inaccessible' }
  | { readonly kind: 'claim'; readonly record: ClaimRecord };

async function readClaim(path: string): Promise<Found> {
  let text: string;
  try {
    text = await readCreatedFile(path);
  } catch (error) {
    return { kind: isErrorWithCode(error, 'ENOENT') ? 'gone' : 'inaccessible' };
  }
  try {
    return { kind: 'claim', record: claimRecord.parse(JSON.parse(text)) };
  } catch {
    return { kind: 'torn' };
  }
}

async function isHeld(found: Found): Promise<boolean> {
  if (found.kind === 'claim') return !(await isProvedDead(found.record.owner));
  return found.kind === 'inaccessible';
}

/**
 * Removes the claim of a dead holder. The right to do so belongs to whoever makes the tombstone of that holder; when
 * its maker died too, to whoever makes the tombstone of the maker, and so on. A tombstone goes only after the claim
 * that it is for, which never comes back; so a late undertaker cannot remove the claim of a successor.
 * @returns false while another living process is about to remove it
 */
async function bury(path: string, holder: Found, text: string): Promise<boolean> {
  const tombstones: string[] = [];
  let name = nameOf(holder, 'torn');
  for (;;) {
    const tombstone = `${path}.${name}.tomb`;
    tombstones.push(tombstone);
    if (await createFileDurably(tombstone, text)) break;
    const maker = await readClaim(tombstone);
    if (maker.kind === 'gone') return true;
    if (await isHeld(maker)) return false;
    name = nameOf(maker, `${name}-torn`);
  }
  if (nameOf(await readClaim(path), 'torn') === nameOf(holder, 'torn')) await removeCreatedFile(path);
  for (const tombstone of tombstones) await removeCreatedFile(tombstone);
  return true;
}

function nameOf(found: Found, torn: string): string {
  if (found.kind === 'claim') return found.record.nonce;
  return found.kind === 'torn' ? torn : found.kind;
}

/** To be called by the holder only: while it holds the claim, every tombstone is for a claim that is gone. */
async function removeTombstones(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const entry of await entriesOf(dirname(path))) {
    if (entry.startsWith(prefix) && entry.endsWith('.tomb')) await removeCreatedFile(join(dirname(path), entry));
  }
}

async function release(path: string, record: ClaimRecord): Promise<void> {
  const current = await readClaim(path);
  if (current.kind === 'claim' && current.record.nonce === record.nonce) await removeCreatedFile(path);
}
