import { isDeepStrictEqual } from 'node:util';
import { type HostResolver, systemResolver } from '../../server/pull/network/guarded-connection';
import { NetworkThread, type NetworkThreadOptions, type StartNetwork } from '../../server/pull/network/network-thread';
import { TRANSFER_TUNING } from '../../server/pull/transfer-tuning';

const { connectMs, stallMs, stallBytes } = TRANSFER_TUNING;

/** What most tests leave as it is. */
const USUAL = {
  proxy: { forHttps: undefined, forHttp: undefined, exceptions: '', strictTls: true },
  authorities: {
    caFile: undefined,
    useSystem: false,
    environment: { SSL_CERT_FILE: undefined, NODE_EXTRA_CA_CERTS: undefined }
  },
  limits: { connectMs, stallMs, stallBytes }
};

/** Every name is one of this machine, for not every system knows names below `localhost`. */
export const loopbackResolver: HostResolver = async () => [{ address: '127.0.0.1', family: 4 }];

const RESOLVERS = [systemResolver, loopbackResolver];

/** The threads that tests of this process share, by their script, resolver and what they may connect to. */
const threads = new Map<string, NetworkThread>();

/**
 * Services in tests share their network thread, unless they want an unusual one: most tests send less than it takes to
 * start one. What a test leaves under way ends with its services; connections stay open as long as their server.
 */
export const sharedNetwork: StartNetwork = (options) => {
  const { resolveHost, settings, workerScript } = options;
  const { policy, ...others } = settings;
  const resolver = RESOLVERS.indexOf(resolveHost);
  if (resolver < 0 || !isDeepStrictEqual(others, USUAL)) return new NetworkThread(options);
  return shareOf(threadOf(JSON.stringify([workerScript, resolver, policy]), options));
};

function threadOf(key: string, options: NetworkThreadOptions): NetworkThread {
  const thread = threads.get(key) ?? new NetworkThread(options);
  threads.set(key, thread);
  return thread;
}

function shareOf(thread: NetworkThread): ReturnType<StartNetwork> {
  const closed = new AbortController();
  return {
    send: (request, signal, onSent) => thread.send(request, AbortSignal.any([signal, closed.signal]), onSent),
    close: async () => closed.abort(new Error('the network is closed'))
  };
}
