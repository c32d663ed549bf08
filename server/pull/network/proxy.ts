import { BlockList, isIP } from 'node:net';
import { Failure } from '../../../shared/failure';
import { hostReach } from '../../../shared/host-reach';

/** How connections leave this machine. */
export interface ProxySettings {
  /** Address of the proxy for https, or undefined for a direct connection. */
  readonly forHttps: string | undefined;
  /** Address of the proxy for plain http, or undefined. */
  readonly forHttp: string | undefined;
  /** Hosts that are reached directly, as NO_PROXY lists them; see {@link isException}. */
  readonly exceptions: string;
  /** Whether certificates have to be trusted. */
  readonly strictTls: boolean;
}

/** What the editor says about proxies; its settings win over the environment. */
export interface EditorProxy {
  readonly address?: string | undefined;
  readonly strictTls?: boolean | undefined;
  /** Hosts that are reached directly, besides those of NO_PROXY. */
  readonly exceptions?: readonly string[] | undefined;
  /** Whether the authorities count that the system trusts. */
  readonly systemCertificates?: boolean | undefined;
}

/** Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case, and the editor's own settings. */
export function proxySettings(
  environment: Readonly<Record<string, string | undefined>>,
  { address, strictTls = true, exceptions = [] }: EditorProxy = {}
): ProxySettings {
  const variable = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name];
  const all = variable('ALL_PROXY');
  const http = address || variable('HTTP_PROXY') || all;
  return {
    forHttps: address || variable('HTTPS_PROXY') || http,
    forHttp: http,
    exceptions: [variable('NO_PROXY') ?? '', ...exceptions].join(','),
    strictTls
  };
}

/**
 * The proxy of an address; this machine itself and the exceptions are never reached through one.
 * @throws Failure('bad-request') when the address of the proxy makes no sense
 */
export function proxyFor(url: URL, { forHttp, forHttps, exceptions }: ProxySettings): string | undefined {
  if (hostReach(url.hostname) === 'loopback' || isException(url, exceptions)) return undefined;
  return proxyAddress(url.protocol === 'https:' ? forHttps : forHttp);
}

/**
 * Whether NO_PROXY names a host: entries are separated by commas or white space, and are `*`, a host, which means its
 * subdomains too, with or without `.` or `*.` in front and `:port` behind, or a range of addresses such as
 * `10.0.0.0/8`.
 */
function isException(url: URL, exceptions: string): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry === '*' || isInRange(host, entry) || isNamed(host, port, entry));
}

function isNamed(host: string, port: string, entry: string): boolean {
  const [, bracketed, plain = '', only] = /^(?:\[([^\]]*)\]|([^:]*|.*:.*:.*))(?::(\d+))?$/.exec(entry) ?? [];
  const name = (bracketed ?? plain).replace(/^\*?\./, '');
  if (name === '' || (only !== undefined && only !== port)) return false;
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isInRange(host: string, entry: string): boolean {
  const [, network = '', bits = ''] = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/.exec(entry) ?? [];
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const range = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  range.addSubnet(network, Number(bits), kind);
  return range.check(host, kind);
}

/** `proxy.example:3128` is how people write it; the client wants a URL. @throws Failure('bad-request') */
function proxyAddress(address: string | undefined): string | undefined {
  if (!address) return undefined;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new Failure('bad-request', 'The address of the proxy is not valid.', {
    subject: 'proxy',
    nextStep: 'Write it as http://host:port in the settings or in HTTPS_PROXY; SOCKS proxies are not supported.'
  });
}
