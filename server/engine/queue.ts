import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { QueuePlace } from '../../shared/job-events';
import { type Claim, tryClaim } from '../platform/claims';
import { systemClock } from '../platform/clock';
import { entriesOf } from '../platform/folder-entries';
import {
  isProvedDead,
  nonce,
  ownerTag,
  ownIdentity,
  type ProcessIdentity,
  parseOwnerTag
} from '../platform/process-identity';
import { fileFailure } from '../platform/system-error';

export interface QueueOptions {
  /** `<cache root>/.queue`; made when needed. */
  readonly folder: string;
  /** What the others in the queue are told that they wait for. */
  readonly model: string;
  readonly signal: AbortSignal;
  /** Hears where the run waits, when that changes; nothing when it needs not wait. */
  readonly onPlace: (place: QueuePlace) => void;
  /** Ends engines whose masters died; called when it is this run's turn. */
  readonly endOrphans: () => Promise<void>;
}

/** How often a waiting run looks whether it is its turn, in ms. */
const LOOK_MS = 200;

/** Digits of a ticket's number, so that names sort as numbers do. */
const DIGITS = 12;

/**
 * Runs something that takes the whole machine when it is its turn: one at a time for all processes that share a cache
 * on this host, in the order in which they came. The order rests on tickets, files that carry their owners in their
 * names; that there is one at a time rests on a claim. Both of a dead process are removed by whoever comes next.
 * @param run gets whether it had to wait
 * @throws what `run` throws; Failure('cancelled') as soon as the signal aborts while it waits; 'file-access', 'disk-full'
 */
export async function inTurn<T>(options: QueueOptions, run: (hasWaited: boolean) => Promise<T>): Promise<T> {
  const queue = await openQueue(options.folder);
  const ticket = await queue.take(options.model);
  try {
    const { claim, hasWaited } = await turnOf(queue, ticket, options);
    try {
      await options.endOrphans();
      return await run(hasWaited);
    } finally {
      // Before the ticket: whoever is next then finds the claim free.
      await claim.release();
    }
  } finally {
    await queue.remove(ticket);
  }
}

async function turnOf(
  queue: Queue,
  ticket: string,
  { signal, onPlace }: QueueOptions
): Promise<{ readonly claim: Claim; readonly hasWaited: boolean }> {
  let told = '';
  for (;;) {
    const ahead = await queue.livingBefore(ticket);
    const claim = ahead.length === 0 ? await tryClaim(queue.claim) : undefined;
    if (claim) return { claim, hasWaited: told !== '' };
    const behind = await queue.modelOf(ahead.at(-1));
    const place = { position: Math.max(1, ahead.length) + 1, ...(behind === undefined ? {} : { behind }) };
    const text = JSON.stringify(place);
    if (text !== told) onPlace(place);
    told = text;
    await systemClock.sleep(LOOK_MS, signal);
  }
}

interface Queue {
  /** Path of the claim of whose turn it is. */
  readonly claim: string;
  /** Joins the end of the queue. @returns the ticket's name */
  take(model: string): Promise<string>;
  /** The tickets before one whose owners live, in order; those of the dead are removed. */
  livingBefore(ticket: string): Promise<readonly string[]>;
  /** What the owner of a ticket runs; undefined when it is gone or was just being written. */
  modelOf(ticket: string | undefined): Promise<string | undefined>;
  remove(ticket: string): Promise<void>;
}

/** A queue for each host: nobody can tell whether processes elsewhere live, and other machines have devices of their own. */
async function openQueue(parent: string): Promise<Queue> {
  const owner = await ownIdentity();
  const folder = join(parent, owner.host);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileFailure(error, 'The folder of the queue cannot be made.', folder);
  }
  const remove = (ticket: string): Promise<void> =>
    rm(join(folder, ticket), { force: true, maxRetries: 5, retryDelay: 20 });
  return {
    claim: join(folder, 'turn.claim'),
    take: (model) => takeTicket(folder, owner, model),
    livingBefore: async (ticket) => {
      const living: string[] = [];
      for (const other of await ticketsIn(folder)) {
        if (other >= ticket) break;
        if (await isAbandoned(other)) await remove(other);
        else living.push(other);
      }
      return living;
    },
    modelOf: async (ticket) => {
      if (ticket === undefined) return undefined;
      return (await readFile(join(folder, ticket), 'utf8').catch(() => '')) || undefined;
    },
    remove
  };
}

async function takeTicket(folder: string, owner: ProcessIdentity, model: string): Promise<string> {
  const last = (await ticketsIn(folder)).at(-1)?.slice(0, DIGITS) ?? '0';
  const ticket = `${String(Number(last) + 1).padStart(DIGITS, '0')}~${ownerTag(owner, nonce())}.ticket`;
  const path = join(folder, ticket);
  try {
    await writeFile(path, model, { flag: 'wx' });
  } catch (error) {
    // A full disk leaves an empty file, and everybody would wait for it as long as this process lives.
    await rm(path, { force: true }).catch(() => undefined);
    throw fileFailure(error, 'The run cannot be put into the queue.', folder);
  }
  return ticket;
}

async function ticketsIn(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).filter((name) => TICKET.test(name)).toSorted();
}

const TICKET = /^\d{12}~(.+)\.ticket$/;

async function isAbandoned(ticket: string): Promise<boolean> {
  const owner = parseOwnerTag(TICKET.exec(ticket)?.[1] ?? '');
  return owner !== undefined && (await isProvedDead(owner));
}
