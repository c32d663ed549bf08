import { Failure } from '../../shared/failure';
import { hostReach } from '../../shared/host-reach';

/** What the user allows beyond https. */
export interface AddressPolicy {
  /** Whether plain http is allowed for hosts other than this machine. */
  readonly allowInsecureHttp: boolean;
}

/** The most redirects that are followed. */
const MOST_REDIRECTS = 10;

/**
 * Reads an address that we are about to connect to.
 * @throws Failure('refused-address') for schemes, hosts and plain http that are not allowed
 */
export function checkedAddress(text: string, policy: AddressPolicy): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new Failure('refused-address', 'The address is not an http or https address.', { subject: redacted(text) });
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure('refused-address', 'The address carries a user name or password.', {
      subject: describeAddress(url),
      nextStep: 'Remove it from the address and name a credential alias instead.'
    });
  }
  const reach = hostReach(url.hostname);
  if (reach === 'link-local' || reach === 'unspecified') {
    throw new Failure('refused-address', `${url.host} is an address that nothing is fetched from.`, {
      subject: describeAddress(url)
    });
  }
  if (url.protocol === 'http:' && reach !== 'loopback' && !policy.allowInsecureHttp) {
    throw new Failure('refused-address', `${url.host} is addressed over plain http, which is not protected.`, {
      subject: describeAddress(url),
      nextStep: 'Use https, or allow plain http in the settings.'
    });
  }
  return url;
}

/**
 * The address that a redirect leads to.
 * @param hops how many redirects were followed before this one
 * @throws Failure when the redirect is incomplete, one too many, or leads where nothing may be fetched from
 */
export function redirectTarget(from: URL, location: string | undefined, hops: number, policy: AddressPolicy): URL {
  const subject = describeAddress(from);
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new Failure('bad-response', `${from.host} redirects without saying where.`, { subject });
  }
  if (hops >= MOST_REDIRECTS) {
    throw new Failure('bad-response', `${from.host} redirects more than ${MOST_REDIRECTS} times.`, { subject });
  }
  const to = checkedAddress(new URL(location, from.href).href, policy);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new Failure('refused-address', `${from.host} redirects from https to plain http on ${to.host}.`, { subject });
  }
  if (hostReach(from.hostname) === 'public' && hostReach(to.hostname) !== 'public') {
    throw new Failure('refused-address', `${from.host} redirects into the private address ${to.host}.`, { subject });
  }
  return to;
}

/** An address for people and logs: without query, fragment and credentials, which may be secret. */
export function describeAddress(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function redacted(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');
}
