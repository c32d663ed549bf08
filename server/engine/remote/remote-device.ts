import { isIP } from 'node:net';
import { Failure, type Remedy } from '../../../shared/failure';
import { hostReach } from '../../../shared/host-reach';
import { SETTINGS } from '../../../shared/settings';
import { reachOf } from '../../pull/network/address-policy';
import type { Judge } from '../../pull/network/guarded-connection';

/** An sd-server of another machine, as the user named it in the settings. */
export interface RemoteDevice {
  readonly name: string;
  /** http or https, without secrets. */
  readonly address: URL;
}

const REMEDY: Remedy = { kind: 'setting', key: SETTINGS.remotes.key };

/**
 * Reads what the settings say of a device.
 * @throws Failure('bad-request') when it is no address of a server, 'refused-address' when nothing is sent there
 */
export function readRemoteDevice(name: string, text: string): RemoteDevice {
  const address = URL.canParse(text) ? new URL(text) : undefined;
  if (!address || !['http:', 'https:'].includes(address.protocol)) {
    throw wrong(name, 'has no address that begins with https:// or http://');
  }
  if (address.username !== '' || address.password !== '' || address.search !== '' || address.hash !== '') {
    throw wrong(name, 'has an address with more than a host, a port and a path');
  }
  const device = { name, address };
  const host = address.hostname;
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  const refusal = isIP(literal) === 0 ? undefined : judgeOf(device)(host, literal);
  if (refusal) throw refusal;
  return device;
}

/**
 * Judges the addresses that the host of a device leads to. sd-server speaks no TLS and knows no users, so without
 * https it has to be this machine or one of a private network; what the user named is allowed to be private.
 */
export function judgeOf({ name, address }: RemoteDevice): Judge {
  return (host, found) => {
    const reach = reachOf(host, found);
    if (reach === 'link-local' || reach === 'unspecified') {
      return refused(name, `${host} is an address that nothing is sent to.`);
    }
    if (hostReach(host) === 'loopback' && reach !== 'loopback') {
      return refused(name, `${host} leads to ${found}, which is not this machine.`);
    }
    if (address.protocol === 'http:' && reach === 'public') {
      return refused(name, `${host} is no machine of a private network, and its address does not begin with https://.`);
    }
    return undefined;
  };
}

function wrong(name: string, problem: string): Failure {
  return new Failure('bad-request', `The device "${name}" ${problem}.`, {
    subject: SETTINGS.remotes.key,
    nextStep: 'Correct it in the settings, for example http://192.168.1.20:1234.',
    remedy: REMEDY
  });
}

function refused(name: string, sentence: string): Failure {
  return new Failure('refused-address', `The device "${name}" is not used: ${sentence}`, {
    subject: SETTINGS.remotes.key,
    nextStep: 'Put a server with TLS in front of it, and name that with https://.',
    remedy: REMEDY
  });
}
