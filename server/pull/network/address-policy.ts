import { Failure, type Remedy } from '../../../shared/failure';
import { addressReach, type HostReach, hostReach } from '../../../shared/host-reach';
import { SETTINGS } from '../../../shared/settings';

/** What the user allows beyond public hosts over https and this machine. */
export interface AddressPolicy {
  /** Whether plain http is allowed for hosts other than this machine. */
  readonly allowInsecureHttp: boolean;
  /** Whether hosts of private networks may be connected to when they are named directly. */
  readonly allowPrivateHosts: boolean;
}

/**
 * Where a request may end: at what was named, or, behind a redirect of a public host, at public hosts only. What the
 * user set as an address of their own may lie in a private network.
 */
export type Admission = 'named' | 'public' | 'user';

/** A host that is about to be connected to, or was. */
export interface Destination {
  /** As the URL parser writes it. */
  readonly host: string;
  /** What the host was resolved to; undefined when only the text can be judged. */
  readonly address?: string;
  readonly admission: Admission;
}

/**
 * The one judgement of where connections may lead. It is made twice: on the text, before anything happens, and on
 * the address that is really connected to, so that a name cannot lead elsewhere than where it was judged.
 * @returns why nothing may be fetched from there; undefined when it may
 */
export function refusalOf({ host, address, admission }: Destination, policy: AddressPolicy): Failure | undefined {
  const named = hostReach(host);
  const reach = reachOf(host, address);
  const leads =
    address === undefined || [address, `[${address}]`].includes(host) ? `${host} is` : `${host} leads to ${address},`;
  if (reach === 'link-local' || reach === 'unspecified') {
    return refused(host, `${leads} an address that nothing is fetched from.`, 'Check the address in the manifest.');
  }
  if (named === 'loopback' && reach !== 'loopback') {
    return refused(host, `${leads} which is not this machine.`, 'Check what this machine resolves the name to.');
  }
  if (reach === 'public') return undefined;
  const where = reach === 'loopback' ? 'an address of this machine' : 'an address of a private network';
  if (admission === 'public') {
    const nextStep = 'Name the final address in the manifest if you trust it.';
    return refused(host, `${leads} ${where}, and a public host redirects to it.`, nextStep);
  }
  if (named === 'loopback' || admission === 'user' || policy.allowPrivateHosts) return undefined;
  const nextStep = 'If you trust that host, allow private hosts in the settings, or with --allow-private-hosts.';
  return refused(host, `${leads} ${where}.`, nextStep, { kind: 'setting', key: SETTINGS.allowPrivateHosts.key });
}

/** How far a host is. @param address what it was resolved to, which tells more than its name */
export function reachOf(host: string, address?: string): HostReach {
  return address === undefined ? hostReach(host) : (addressReach(address) ?? 'unspecified');
}

function refused(subject: string, message: string, nextStep: string, remedy?: Remedy): Failure {
  return new Failure('refused-address', message, { subject, nextStep, remedy });
}
