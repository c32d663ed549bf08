import { LOCAL_DEVICE } from '../../../shared/engine-settings';
import { Failure } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import { judgeOf, type RemoteDevice, readRemoteDevice } from '../../engine/remote/remote-device';
import { deviceFailure } from '../../engine/remote/run-on-device';
import { ServerApi } from '../../engine/resident/server-api';
import { connectTransport } from '../../engine/resident/transport';
import { trustedAuthorities } from '../../pull/network/authorities';
import { judgedLookup, systemResolver } from '../../pull/network/guarded-connection';
import type { Services } from '../services';

type Parts = Pick<Services, 'engineSettings' | 'environment' | 'caFile' | 'editorProxy' | 'resolveHost'>;

/**
 * The device that a request is for.
 * @param asked the name of one in the settings, or `local`; undefined: the one that the settings name
 * @returns undefined for this machine
 * @throws Failure('bad-request') when the settings know no such device, or make no sense; 'refused-address'
 */
export function chosenDevice(
  { engineSettings: { remotes, device: usual } }: Pick<Services, 'engineSettings'>,
  asked: string | undefined
): RemoteDevice | undefined {
  const name = asked ?? usual ?? LOCAL_DEVICE;
  if (name === LOCAL_DEVICE) return undefined;
  const address = Object.hasOwn(remotes, name) ? remotes[name] : undefined;
  if (address !== undefined) return readRemoteDevice(name, address);
  const known = [LOCAL_DEVICE, ...Object.keys(remotes)].join(', ');
  throw new Failure('bad-request', `There is no device "${name}".`, {
    subject: asked === undefined ? SETTINGS.device.key : 'device',
    nextStep: `Known are: ${known}. Others can be named in the settings.`,
    remedy: { kind: 'setting', key: SETTINGS.remotes.key }
  });
}

/** Talks to a device: only to addresses that it may have. Whoever gets it closes it. */
export async function connectDevice(services: Parts, device: RemoteDevice): Promise<ServerApi> {
  const { environment, caFile, editorProxy, resolveHost = systemResolver } = services;
  const isSecure = device.address.protocol === 'https:';
  const useSystem = editorProxy?.systemCertificates === true;
  return new ServerApi(
    connectTransport({
      address: device.address,
      lookup: judgedLookup(resolveHost, judgeOf(device)),
      authorities: isSecure ? await trustedAuthorities({ caFile, useSystem, environment }) : undefined
    })
  );
}

/**
 * Asks a device what it has loaded.
 * @returns the name of its model's file
 * @throws Failure
 */
export async function askDevice(services: Parts, device: RemoteDevice, signal: AbortSignal): Promise<string> {
  const api = await connectDevice(services, device);
  try {
    return (await api.capabilities(signal)).model.name;
  } catch (error) {
    throw deviceFailure(device.name, error);
  } finally {
    api.close();
  }
}
