import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { makeDirectoryDurably } from './durable-files';
import { isProvedDead, nonce, ownIdentity, processIdentity } from './process-identity';
import { isErrorWithCode } from './system-error';

/** Who holds a claim; the nonce tells two claims of one process apart. */
const claimRecord = z.object({ owner: processIdentity, nonce: z.string().regex(/^[0-9a-f]+$/) });

type ClaimRecord = z.infer<typeof claimRecord>;

/** A claim that this process holds. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Tries to be the one who does some work. Claims only save double work: nothing may become wrong when two processes
 * hold one. A claim is published by `link`; that of a dead process is taken over through a tombstone, which only one
 * process can make, so that nobody removes the claim of a successor.
 * @param path absolute path of the claim's file
 * @returns undefined while a living process, this one included, holds the claim
 */
export async function tryClaim(path: string): Promise<Claim | undefined> {
  const record: ClaimRecord = { owner: await ownIdentity(), nonce: nonce() };
  const temporary = `${path}.${record.nonce}.tmp`;
  await makeDirectoryDurably(dirname(path));
  await writeFile(temporary, JSON.stringify(record));
  try {
    for (;;) {
      if (await linked(temporary, path)) return { release: () => release(path, record) };
      const holder = await readClaim(path);
      if (holder === 'gone') continue;
      if (holder && !(await isProvedDead(holder.owner))) return undefined;
      if (!(await bury(path, holder, record))) return undefined;
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isErrorWithCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** @returns undefined for a claim that nobody can have written */
async function readClaim(path: string): Promise<ClaimRecord | undefined | 'gone'> {
  try {
    return claimRecord.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    return isErrorWithCode(error, 'ENOENT') ? 'gone' : undefined;
  }
}

/** Removes the claim of a dead holder; false while another living process is about to. */
async function bury(path: string, holder: ClaimRecord | undefined, own: ClaimRecord): Promise<boolean> {
  const tombstone = `${path}.${holder?.nonce ?? 'unreadable'}.tomb`;
  const temporary = `${path}.${own.nonce}.tmp`;
  if (!(await linked(temporary, tombstone))) {
    const maker = await readClaim(tombstone);
    if (maker === 'gone') return true;
    if (maker && !(await isProvedDead(maker.owner))) return false;
    await rm(tombstone, { force: true });
    return true;
  }
  const current = await readClaim(path);
  // Only the maker of this tombstone may remove the claim with this nonce, so it cannot change in between.
  if (current !== 'gone' && current?.nonce === holder?.nonce) await rm(path, { force: true });
  await rm(tombstone, { force: true });
  return true;
}

async function release(path: string, record: ClaimRecord): Promise<void> {
  const current = await readClaim(path);
  if (current !== 'gone' && current?.nonce === record.nonce) await rm(path, { force: true });
}
