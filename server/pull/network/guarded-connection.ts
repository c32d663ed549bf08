import { ADDRCONFIG, type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { type Failure } from '../../../shared/failure';

/** Finds the addresses of a host name. @throws a system error when it has none */
export type HostResolver = (host: string) => Promise<readonly LookupAddress[]>;

/** What the system resolves names with. */
export const systemResolver: HostResolver = (host) =>
  lookup(host, { all: true, hints: process.platform === 'win32' ? 0 : ADDRCONFIG });

/** Judges an address of a host: why it must not be connected to, or undefined. */
export type Judge = (host: string, address: string) => Failure | undefined;

/**
 * A lookup that hands on only addresses that were judged. A connection goes to one of those and to no other, so a
 * name that resolves differently the next time gains nothing.
 */
export function judgedLookup(resolve: HostResolver, judge: Judge): LookupFunction {
  const answer = async (...[host, { all }, callback]: Parameters<LookupFunction>): Promise<void> => {
    const found = await admitted(host, resolve, judge).catch((error: NodeJS.ErrnoException) => error);
    if (found instanceof Error) callback(found, []);
    else if (all) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
  return (...asked) => void answer(...asked);
}

/** Of several addresses those that may be connected to. @throws the first refusal when none remains */
async function admitted(host: string, resolve: HostResolver, judge: Judge): Promise<LookupAddress[]> {
  const addresses = await resolve(host);
  const judged = addresses.map((found) => ({ found, refusal: judge(host, found.address) }));
  const allowed = judged.flatMap(({ found, refusal }) => (refusal ? [] : [found]));
  const refusal = judged.find((each) => each.refusal)?.refusal;
  if (allowed.length === 0 && refusal) throw refusal;
  return allowed;
}

export interface ConnectionGuard {
  readonly judge: Judge;
  /** Called with the address that a connection ended at. */
  readonly onConnected: (host: string, address: string) => void;
}

/** Makes connections only to addresses that the judge lets pass: hosts that are addresses need no lookup. */
export function guardedConnector(
  connect: buildConnector.connector,
  { judge, onConnected }: ConnectionGuard
): buildConnector.connector {
  return (target, callback) => {
    const { hostname: host } = target;
    const refusal = isIP(host) === 0 ? undefined : judge(host, host);
    if (refusal) return callback(refusal, null);
    connect(target, (...result) => {
      const [error, socket] = result;
      if (error === null && socket?.remoteAddress !== undefined) onConnected(host, socket.remoteAddress);
      callback(...result);
    });
  };
}
