import { type EngineSettings, engineSettings } from '../../../shared/engine-settings';
import { Failure } from '../../../shared/failure';

/** What the command line goes by where the editor has settings. A model stays loaded only while a server of ours runs. */
const RPC_VARIABLE = 'DIFFUSION_DOCK_RPC_SERVERS';
const DEVICES_VARIABLE = 'DIFFUSION_DOCK_DEVICES';
const DEVICE_VARIABLE = 'DIFFUSION_DOCK_DEVICE';

/**
 * Reads how engines are used from the environment: `DIFFUSION_DOCK_RPC_SERVERS=host:port,…`,
 * `DIFFUSION_DOCK_DEVICES=name=address,…` and `DIFFUSION_DOCK_DEVICE=name`.
 * @throws Failure('bad-request') when a device has no name or no address
 */
export function engineSettingsOf(environment: Readonly<Record<string, string | undefined>>): EngineSettings {
  const device = environment[DEVICE_VARIABLE]?.trim();
  return engineSettings.parse({
    rpcServers: listed(environment[RPC_VARIABLE]),
    remotes: Object.fromEntries(listed(environment[DEVICES_VARIABLE]).map(namedAddress)),
    ...(device && { device })
  });
}

function listed(text = ''): string[] {
  return text.split(',').flatMap((part) => part.trim() || []);
}

function namedAddress(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
  throw new Failure('bad-request', `${DEVICES_VARIABLE} holds a device without a name or an address.`, {
    subject: DEVICES_VARIABLE,
    nextStep: `Write name=address, for example ${DEVICES_VARIABLE}=tower=http://192.168.1.20:1234.`
  });
}
