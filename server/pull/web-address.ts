import { Failure } from '../../shared/failure';
import { hostReach } from '../../shared/host-reach';
import { type AddressPolicy, type Admission, refusalOf } from './address-policy';

/** The most redirects that are followed. */
const MOST_REDIRECTS = 10;

/**
 * Reads an address that we are about to connect to. Its host is judged by its text here, and when it is connected to
 * by its address.
 * @throws Failure('refused-address') for schemes, hosts and plain http that are not allowed
 */
export function checkedAddress(text: string, policy: AddressPolicy, admission: Admission = 'named'): URL {
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
  const refusal = refusalOf({ host: url.hostname, admission }, policy);
  if (refusal) throw refusal;
  if (url.protocol === 'http:' && hostReach(url.hostname) !== 'loopback' && !policy.allowInsecureHttp) {
    throw new Failure('refused-address', `${url.host} is addressed over plain http, which is not protected.`, {
      subject: describeAddress(url),
      nextStep: 'Use https, or allow plain http in the settings.'
    });
  }
  return url;
}

/** A redirect as an answer tells it. */
export interface Redirect {
  /** The address that was asked. */
  readonly from: URL;
  readonly location: string | undefined;
  /** How many redirects were followed before this one. */
  readonly hops: number;
  /** Which hosts may still be connected to. */
  readonly admission: Admission;
}

/**
 * The address that a redirect leads to.
 * @throws Failure when the redirect is incomplete, one too many, or leads where nothing may be fetched from
 */
export function redirectTarget({ from, location, hops, admission }: Redirect, policy: AddressPolicy): URL {
  const subject = describeAddress(from);
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new Failure('bad-response', `${from.host} redirects without saying where.`, { subject });
  }
  if (hops >= MOST_REDIRECTS) {
    throw new Failure('bad-response', `${from.host} redirects more than ${MOST_REDIRECTS} times.`, { subject });
  }
  const to = checkedAddress(new URL(location, from.href).href, policy, admission);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new Failure('refused-address', `${from.host} redirects from https to plain http on ${to.host}.`, { subject });
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
