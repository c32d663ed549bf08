import { Failure } from '../../shared/failure';
import { hostReach } from '../../shared/host-reach';

/** How connections leave this machine. */
export interface ProxySettings {
  /** Address of the proxy for https, or undefined for a direct connection. */
  readonly forHttps: string | undefined;
  /** Address of the proxy for plain http, or undefined. */
  readonly forHttp: string | undefined;
  /** Hosts that are reached directly, as NO_PROXY lists them. */
  readonly exceptions: string;
  /** Whether certificates have to be trusted. */
  readonly strictTls: boolean;
}

/** What the editor says about proxies; its settings win over the environment. */
export interface EditorProxy {
  readonly address?: string | undefined;
  readonly strictTls?: boolean | undefined;
}

/** Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in upper or lower case, and the editor's own settings. */
export function proxySettings(
  environment: Readonly<Record<string, string | undefined>>,
  { address, strictTls = true }: EditorProxy = {}
): ProxySettings {
  const variable = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name];
  const http = address || variable('HTTP_PROXY');
  return {
    forHttps: address || variable('HTTPS_PROXY') || http,
    forHttp: http,
    exceptions: variable('NO_PROXY') ?? '',
    strictTls
  };
}

/**
 * The proxy of an address; this machine itself is never reached through one.
 * @throws Failure('bad-request') when the address of the proxy makes no sense
 */
export function proxyFor(url: URL, { forHttp, forHttps }: ProxySettings): string | undefined {
  if (hostReach(url.hostname) === 'loopback') return undefined;
  return proxyAddress(url.protocol === 'https:' ? forHttps : forHttp);
}

/** `proxy.example:3128` is how people write it; the client wants a URL. @throws Failure('bad-request') */
export function proxyAddress(address: string | undefined): string | undefined {
  if (!address) return undefined;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new Failure('bad-request', 'The address of the proxy is not valid.', {
    subject: 'proxy',
    nextStep: 'Write it as http://host:port in the settings or in HTTPS_PROXY.'
  });
}
