import { Failure } from '../../../shared/failure';
import { hostReach } from '../../../shared/host-reach';
import { SETTINGS } from '../../../shared/settings';
import { type AddressPolicy, type Admission, refusalOf } from '../network/address-policy';

const OTHER_SOURCE = 'Check the address in the manifest, or use another source.';

const REDIRECT = 'Open the address in a browser to see where it leads, and put the final address into the manifest.';

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
      nextStep: 'Use https, or allow plain http in the settings.',
      remedy: { kind: 'setting', key: SETTINGS.allowInsecureHttp.key }
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
    throw new Failure('bad-response', `${from.host} redirects without saying where.`, { subject, nextStep: REDIRECT });
  }
  if (hops >= MOST_REDIRECTS) {
    throw new Failure('bad-response', `${from.host} redirects more than ${MOST_REDIRECTS} times.`, {
      subject,
      nextStep: REDIRECT
    });
  }
  const target = new URL(location, from.href);
  const flaw = flawOf(target);
  if (flaw !== undefined) {
    throw new Failure('refused-address', `${from.host} redirects to an address that ${flaw}.`, {
      subject,
      nextStep: OTHER_SOURCE
    });
  }
  const to = admitted(target, from, { policy, admission });
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new Failure('refused-address', `${from.host} redirects from https to plain http on ${to.host}.`, {
      subject,
      nextStep: OTHER_SOURCE
    });
  }
  return to;
}

/** As {@link checkedAddress}, but it is said who leads there: nobody has written that address into the manifest. */
function admitted(
  target: URL,
  from: URL,
  { policy, admission }: { readonly policy: AddressPolicy; readonly admission: Admission }
): URL {
  try {
    return checkedAddress(target.href, policy, admission);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, message, nextStep } = error;
    throw new Failure(code, `${from.host} redirects to an address that is refused. ${message}`, {
      subject: describeAddress(from),
      ...(nextStep !== undefined && { nextStep }),
      cause: error
    });
  }
}

/** What keeps an address from being fetched whatever its host is. */
function flawOf({ protocol, username, password }: URL): string | undefined {
  if (protocol !== 'https:' && protocol !== 'http:') return `is ${protocol} and not http or https`;
  return username === '' && password === '' ? undefined : 'carries a user name or password';
}

/** An address for people and logs: without query, fragment and credentials, which may be secret. */
export function describeAddress(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function redacted(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');
}
