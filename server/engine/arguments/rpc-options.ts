import { Failure } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import { type EngineOption, optional } from './engine-option';

/** A host's name, an IPv4 address, or an IPv6 one in brackets, with a port. */
const RPC_SERVER = /^([\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i;

/**
 * The option for other machines that lend their devices. A build that lacks it makes the same image without them.
 * @throws Failure('bad-request') when one is no host and port
 */
export function rpcOptions(servers: readonly string[] = []): EngineOption[] {
  const wrong = servers.find((server) => !RPC_SERVER.test(server));
  if (wrong !== undefined) {
    throw new Failure('bad-request', `"${wrong}" is no host and port of an RPC server.`, {
      subject: SETTINGS.rpcServers.key,
      nextStep: 'Correct the setting, for example 192.168.1.20:50052.',
      remedy: { kind: 'setting', key: SETTINGS.rpcServers.key }
    });
  }
  return servers.length === 0 ? [] : [optional('--rpc-servers', servers.join(','))];
}
