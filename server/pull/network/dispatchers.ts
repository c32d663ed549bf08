import { createSecureContext, type SecureContext } from 'node:tls';
import type * as Undici from 'undici';
import type { HostReach } from '../../../shared/host-reach';
import { type Admission, reachOf, refusalOf } from './address-policy';
import { trustedAuthorities } from './authorities';
import { endHoldingConnector } from './connection-end';
import { guardedConnector, type HostResolver, type Judge, judgedLookup } from './guarded-connection';
import type { NetworkSettings } from './network-messages';
import { proxyFor } from './proxy';
import { windowedConnector } from './receive-windows';

/** What connections are made by. */
export interface DispatcherOptions extends Omit<NetworkSettings, 'limits'> {
  readonly limits: Omit<NetworkSettings['limits'], 'stallBytes'>;
  readonly resolveHost: HostResolver;
}

/** The largest head of an answer, in bytes. */
const LARGEST_HEAD_BYTES = 64 * 1024;

/** How connections are made, the last two of them over TLS. */
interface ConnectOptions {
  readonly timeout: number;
  readonly rejectUnauthorized?: boolean;
  readonly secureContext?: SecureContext;
}

/** What `undici.cjs` has of undici. */
type UndiciParts = Pick<typeof Undici, 'Agent' | 'Pool' | 'ProxyAgent' | 'buildConnector'>;

/** undici's pools of connections: for each protocol one for each proxy, and for each admission among those that need none. */
export class Dispatchers {
  private readonly made = new Map<string, Promise<Undici.Dispatcher>>();
  /** Hosts that were connected to directly, and how far the farthest of their addresses is. */
  private readonly reaches = new Map<string, HostReach>();

  private authorities: Promise<readonly string[] | undefined> | undefined;

  constructor(private readonly options: DispatcherOptions) {}

  /** The connections for an address. What may end at a private address shares none with what may not. */
  of(url: URL, admission: Admission): Promise<Undici.Dispatcher> {
    const proxy = proxyFor(url, this.options.proxy);
    const isSecure = url.protocol === 'https:' || proxy?.startsWith('https:') === true;
    const key = `${isSecure ? 'tls' : 'plain'} ${proxy ?? admission}`;
    const known = this.made.get(key);
    if (known) return known;
    const made = this.make({ proxy, admission, isSecure });
    this.made.set(key, made);
    // What could not be made now may be made the next time: the user mends files and settings.
    made.catch(() => {
      this.made.delete(key);
      this.authorities = undefined;
    });
    return made;
  }

  /** How far the host of an address is that was connected to; undefined when a proxy was connected to instead. */
  reached(url: URL): HostReach | undefined {
    return proxyFor(url, this.options.proxy) === undefined ? this.reaches.get(connectedName(url)) : undefined;
  }

  private async make({ proxy, admission, isSecure }: Wanted): Promise<Undici.Dispatcher> {
    const timeout = this.options.limits.connectMs;
    const options = isSecure ? { timeout, ...(await this.tls()) } : { timeout };
    const undici: UndiciParts = await import('undici');
    return proxy === undefined ? this.direct(undici, options, admission) : this.proxied(undici, options, proxy);
  }

  private direct(undici: UndiciParts, options: ConnectOptions, admission: Admission): Undici.Dispatcher {
    const { policy, resolveHost } = this.options;
    const judge: Judge = (host, address) => refusalOf({ host, address, admission }, policy);
    const lookup = judgedLookup(resolveHost, judge);
    const connect = windowedConnector(undici.buildConnector, { ...options, lookup });
    const onConnected = (host: string, address: string): void => {
      // A host that was public once stays so: it may have several addresses.
      if (this.reaches.get(host) !== 'public') this.reaches.set(host, reachOf(host, address));
    };
    return new undici.Agent({ ...this.timeouts(), connect: guardedConnector(connect, { judge, onConnected }) });
  }

  /** The proxy makes the connections, so that only the text of an address could be judged, before it was asked. */
  private proxied(undici: UndiciParts, options: ConnectOptions, uri: string): Undici.Dispatcher {
    // Plain http goes to the proxy as it is: few proxies open tunnels to other ports than 443.
    return new undici.ProxyAgent({
      uri,
      proxyTunnel: false,
      requestTls: options,
      proxyTls: options,
      // Of its own accord it forgets the timeouts of what it sends to a proxy, with a tunnel or without.
      clientFactory: (origin, given) => new undici.Pool(origin, { ...this.timeouts(), ...given }),
      factory: (origin, given) => new undici.Pool(origin, { ...this.timeouts(), ...heldEnds(given) })
    });
  }

  private timeouts() {
    const { stallMs } = this.options.limits;
    return { headersTimeout: stallMs, bodyTimeout: stallMs, maxHeaderSize: LARGEST_HEAD_BYTES };
  }

  private async tls(): Promise<Omit<ConnectOptions, 'timeout'>> {
    this.authorities ??= trustedAuthorities(this.options.authorities);
    const authorities = await this.authorities;
    return {
      rejectUnauthorized: this.options.proxy.strictTls,
      // Made once: reading all authorities takes some 50 ms, for each connection if it is left to those.
      ...(authorities && { secureContext: createSecureContext({ ca: [...authorities] }) })
    };
  }
}

/** What dispatchers differ in. */
interface Wanted {
  readonly proxy: string | undefined;
  readonly admission: Admission;
  readonly isSecure: boolean;
}

/** The way in which a proxy's agent makes connections, and their ends held. */
function heldEnds(given: object): { readonly connect?: Undici.buildConnector.connector } {
  const connect = 'connect' in given ? given.connect : undefined;
  return isConnector(connect) ? { connect: endHoldingConnector(connect) } : {};
}

function isConnector(value: unknown): value is Undici.buildConnector.connector {
  return typeof value === 'function';
}

/** The host as connections are told it: IPv6 without brackets. */
function connectedName({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
